#include "producer/conversations/reply_fold.h"

#include <gtest/gtest.h>

#include "producer/relay/stored_end.h"
#include "tests/producer/conversations/told.h"

namespace millrace::conversations {
namespace {

using namespace conversations_test;
using Blocks = std::vector<std::string>;

const std::string start =
    R"(data: {"type":"start","session_id":"세션","message_id":"01a1fe87-e606-7657-bf68-4eb31e12a026")";
const std::string begun = start + ",\"elapsed\":0.040}\nid: 1";

std::string delta(std::string_view text, int seq) {
  return R"(data: {"type":"delta","content":")" + std::string(text) + R"(","elapsed":0.040})" +
         "\nid: " + std::to_string(seq);
}
std::string done(std::string_view text, const std::string& seq) {
  return R"(data: {"type":"done","content":")" + std::string(text) +
         R"(","session_id":"세션","message_id":"01a1fe87-e606-7657-bf68-4eb31e12a026",)"
         R"("token_usage":{"total_tokens":6},"finish_reason":"stop","elapsed":0.040})" +
         "\nid: " + seq;
}
std::string again(std::string_view id) {
  return R"(data: {"type":"status","message":"The answer is told again from its beginning",)"
         R"("restarted":true,"elapsed":0.040})" +
         std::string(id);
}
std::string error(std::string_view code, std::string_view message) {
  return R"(data: {"type":"error","code":")" + std::string(code) + R"(","message":")" +
         std::string(message) + R"(","elapsed":0.040})" + "\nid: 3";
}

std::vector<std::string> told_by(const Log& log, bool resumed = false) {
  ReplyFold fold("세션", id, resumed);
  return told(fold, log);
}

TEST(ReplyFold, TellsWhereItIsKeptThenEachDeltaThenTheWholeAnswer) {
  EXPECT_EQ(
      told_by(Log().queued().started().delta("안녕").delta(" \"you\"\n").end(answer("안녕…"))),
      (Blocks{begun, delta("안녕", 3), delta(R"( \"you\"\n)", 4), done("안녕…", "5")}));
}

TEST(ReplyFold, ARestartVoidsWhatWasTold) {
  EXPECT_EQ(told_by(Log().queued().started().delta("ab").rewind(2).delta("c").end(answer("c"))),
            (Blocks{begun, delta("ab", 3), again("\nid: 4"), delta("c", 5), done("c", "6")}));
}

TEST(ReplyFold, ARewindThatTakesNothingBackIsNotTold) {
  EXPECT_EQ(told_by(Log().queued().started().rewind(2).delta("c")), (Blocks{begun, delta("c", 4)}));
}

TEST(ReplyFold, WhatIsKeptOfARewindIsToldAgain) {
  EXPECT_EQ(told_by(Log().queued().delta("a").delta("b").rewind(2).delta("c")),
            (Blocks{begun, delta("a", 2), delta("b", 3), again(""), delta("a", 4), delta("c", 5)}));
}

TEST(ReplyFold, AfterALossTheWholeTextGoesOnFromWhatWasTold) {
  EXPECT_EQ(told_by(Log().queued().delta("a").gap(3, 9).snapshot("a b").delta(" c")),
            (Blocks{begun, delta("a", 2), delta(" b", 11), delta(" c", 12)}));
  EXPECT_EQ(told_by(Log().queued().delta("x").gap(3, 9).snapshot("a b")),
            (Blocks{begun, delta("x", 2), again(""), delta("a b", 11)}));
}

TEST(ReplyFold, WhatComesAfterALossWaitsForTheWholeText) {
  EXPECT_EQ(told_by(Log().queued().delta("a").gap(3, 9).delta("z").end(answer("a z"))),
            (Blocks{begun, delta("a", 2), done("a z", "12")}));
}

TEST(ReplyFold, AShortenedLogIsToldAsARestartToWhoComesBack) {
  const Log log = Log().snapshot("a b").delta(" c");
  EXPECT_EQ(told_by(log), (Blocks{start + ",\"elapsed\":0.040}", delta("a b", 1), delta(" c", 2)}));
  EXPECT_EQ(told_by(log, true),
            (Blocks{start + ",\"elapsed\":0.040}", again(""), delta("a b", 1), delta(" c", 2)}));
}

TEST(ReplyFold, AnEndWithoutAnAnswerIsAnError) {
  const auto end = [](const Outcome& outcome) {
    return told_by(Log().queued().started().end(outcome)).back();
  };
  EXPECT_EQ(end(ended(JobState::cancelled)),
            error("interrupted", "The answer was stopped before its end"));
  EXPECT_EQ(end(ended(JobState::expired)),
            error("expired", "The answer was not there before its deadline"));
  EXPECT_EQ(end(ended(JobState::failed, "upstream_unavailable", "refused")),
            error("upstream_unavailable", "LLM server not available"));
  EXPECT_EQ(end(ended(JobState::failed, "upstream_busy", "too many")),
            error("upstream_busy", "The model's server failed: too many"));
}

TEST(ReplyFold, OtherEventsKeepTheirTypeAndMembers) {
  EXPECT_EQ(told_by(Log().queued().status("retrying").event("table", R"("rows":[[1, 2]])")),
            (Blocks{begun,
                    "data: {\"type\":\"status\",\"message\":\"retrying\",\"elapsed\":0.040}\n"
                    "id: 2",
                    "data: {\"type\":\"table\",\"rows\":[[1, 2]],\"elapsed\":0.040}\nid: 3"}));
}

TEST(ReplyFold, WhereTheLogHasGoneTheStoredAnswerIsTold) {
  StoredJob job;
  job.id = id;
  job.created_at = accepted;
  job.state = JobState::succeeded;
  job.ended_at = accepted + 40ms;
  job.outcome = answer("kept");
  ReplyFold fold("세션", id, false);
  EXPECT_EQ(told(fold, relay::frame_page(id, relay::stored_end_line(job), 0).frames),
            (Blocks{start + "}", done("kept", "9007199254740991")}));
  EXPECT_TRUE(fold.over());
}

}  // namespace
}  // namespace millrace::conversations
