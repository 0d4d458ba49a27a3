#include "shared/ending.h"

#include "tests/producer/ingress/world.h"

namespace millrace::ingress_test {
namespace {

std::string types(World& w, const JobId& id) {
  const std::string lines = w.log.lines_of(id);
  std::string_view rest = lines;
  EventLine event;
  std::string all;
  Seq before = 0;
  while (next_event(rest, event)) {
    EXPECT_GT(event.seq, before);
    before = event.seq;
    all.append(all.empty() ? "" : " ").append(event.type);
  }
  return all;
}

TEST(Ending, ReadersWhoHoldTheStoredTextHearOnlyTheTerminalEvent) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.say("abc"));
  ASSERT_TRUE(holder.end(Holder::done("abc"), "abc"));
  EXPECT_EQ(types(w, id), "queued delta done");
}

TEST(Ending, ToolsToCallAreToldRightBeforeTheEnd) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  auto standing = Holder::done("");
  standing.tool_calls = {{"c1", "f", "{}"}, {"c2", "g", "{}"}};
  ASSERT_TRUE(holder.end(standing, ""));
  EXPECT_EQ(types(w, id), "queued tool_call tool_call done");
}

TEST(Ending, ReadersWhoHoldAnotherTextGetTheStoredOneFirst) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.say("abc"));
  ASSERT_TRUE(holder.end(Holder::done("xyz"), "abc"));
  EXPECT_EQ(types(w, id), "queued delta rewind delta done");
  EXPECT_EQ(w.log.text_of(id), "xyz");
}

TEST(Ending, WhatReadersHoldIsReadWhereTheCallerDoesNotKnow) {
  World w;
  const JobId same = w.posted();
  Holder one(w, same);
  for (int i = 0; i < 700; ++i) ASSERT_TRUE(one.say("x"));  // more than a page
  ASSERT_TRUE(one.end(Holder::done(std::string(700, 'x')), std::nullopt));
  EXPECT_EQ(types(w, same).find("rewind"), std::string::npos);

  const JobId other = w.posted();
  Holder two(w, other);
  ASSERT_TRUE(two.say("x"));
  ASSERT_TRUE(two.end(Holder::done("y"), std::nullopt));
  EXPECT_EQ(types(w, other), "queued delta rewind delta done");
}

TEST(Ending, AnEmptyStoredTextIsARewindAlone) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.say("abc"));
  Outcome expired;
  expired.state = JobState::expired;
  ASSERT_TRUE(holder.end(expired, "abc"));
  EXPECT_EQ(types(w, id), "queued delta rewind expired");
  EXPECT_EQ(w.log.text_of(id), "");
}

TEST(Ending, AfterALossReadersGetTheGapAndTheWholeText) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  ASSERT_TRUE(holder.say("abc"));
  w.log.lose_all();
  const BeginRequest again{
      .job = holder.job, .token = holder.token, .worker = "w", .known = 2, .begun_before = true};
  const auto begun = w.run(w.log.begin(again));
  ASSERT_TRUE(begun && begun->gap_from);
  const auto standing = Holder::done("abc");
  ASSERT_TRUE(w.run(append_ending(
      w.log, w.clock,
      Ending{holder.job, holder.token, begun->last, begun->gap_from, standing, "abc"})));
  EXPECT_EQ(types(w, id), "gap rewind delta done");
  EXPECT_EQ(w.log.text_of(id), "abc");
}

TEST(Ending, ALongTextComesInPiecesThatCutNoCharacter) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "é€";
  ASSERT_TRUE(holder.end(Holder::done(text), ""));
  EXPECT_EQ(w.log.text_of(id), text);
}

TEST(Ending, AForeignLeaseWritesNothing) {
  World w;
  const JobId id = w.posted();
  Holder holder(w, id);
  holder.token = new_token(w.random);
  const auto ended = holder.end(Holder::done(""), "");
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error(), Errc::fenced);
  EXPECT_EQ(types(w, id), "queued");
}

}  // namespace
}  // namespace millrace::ingress_test
