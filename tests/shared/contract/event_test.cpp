#include "shared/contract/event.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

const JobId id = *JobId::parse("01890a5d-ac96-774b-bcce-b302099a8057");
const WallTime accepted{std::chrono::milliseconds(1'790'000'000'000)};

EventWriter::At at(Seq seq, int after_ms = 0) {
  return {seq, accepted + std::chrono::milliseconds(after_ms)};
}

std::vector<EventLine> walk(std::string_view lines) {
  std::vector<EventLine> events;
  EventLine event;
  while (next_event(lines, event)) events.push_back(event);
  return events;
}

TEST(EventLine, IsSeqTypeAndOneLineOfJson) {
  std::string out;
  EventWriter(id, accepted).delta(out, at(7, 1234), "안녕\n\"x\"");
  EXPECT_EQ(
      out,
      "7 delta {\"job\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"seq\":7,\"type\":\"delta\","
      "\"ts\":\"2026-09-21T14:13:21.234Z\",\"elapsed\":1.234,\"text\":\"안녕\\n\\\"x\\\"\"}\n");
}

TEST(EventLine, WhatIsNotKnownIsAbsent) {
  std::string out;
  EventWriter(id, accepted).queued(out, at(1), -1, -1);
  EXPECT_EQ(out.find("position"), std::string::npos);
  EXPECT_EQ(out.find("eta_s"), std::string::npos);
}

TEST(EventLine, AClockThatWentBackNeverMakesElapsedNegative) {
  std::string out;
  EventWriter(id, accepted).status(out, at(2, -5000), "x");
  EXPECT_NE(out.find("\"elapsed\":0.000"), std::string::npos);
}

TEST(EventLine, WalksManyAndStopsAtAHalfLine) {
  std::string out;
  const EventWriter write(id, accepted);
  write.started(out, at(2), 1, "w");
  write.delta(out, at(3), "a");
  const auto whole = out.size();
  write.delta(out, at(4), "b");
  const auto events = walk(std::string_view(out).substr(0, out.size() - 1));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].type, "started");
  EXPECT_EQ(events[1].seq, 3u);
  EXPECT_EQ(events[0].whole.size() + events[1].whole.size(), whole);
}

TEST(EventLine, RefusesWhatIsNotALine) {
  for (std::string_view bad : {"x delta {}\n", "1  {}\n", "1 delta\n", "-1 a b\n", " 1 a b\n",
                               "99999999999999999999999 a b\n"}) {
    EventLine event;
    EXPECT_FALSE(next_event(bad, event)) << bad;
  }
}

TEST(TextFold, IsWhatAReaderHolds) {
  std::string out;
  const EventWriter write(id, accepted);
  write.queued(out, at(1), 0, 0);
  write.started(out, at(2), 1, "w");
  write.delta(out, at(3), "Hel");
  write.delta(out, at(4), "lo");
  write.rewind(out, at(5), 2);
  write.delta(out, at(6), "안녕");
  TextFold fold;
  for (const auto& event : walk(out)) fold.take(event);
  EXPECT_EQ(fold.text(), "안녕");
  EXPECT_EQ(fold.last(), 6u);
}

TEST(TextFold, ASnapshotReplacesAndARewindMayGoIntoTheMiddle) {
  std::string out;
  const EventWriter write(id, accepted);
  write.snapshot(out, at(10), "all so far", 9);
  write.delta(out, at(11), "!");
  write.delta(out, at(12), "?");
  write.rewind(out, at(13), 11);
  TextFold fold;
  for (const auto& event : walk(out)) fold.take(event);
  EXPECT_EQ(fold.text(), "all so far!");
}

TEST(TerminalEvent, OneTypeForEachTerminalState) {
  for (const auto state :
       {JobState::succeeded, JobState::failed, JobState::cancelled, JobState::expired}) {
    std::string out;
    Outcome outcome;
    outcome.state = state;
    EventWriter(id, accepted).terminal(out, at(9), outcome);
    const auto events = walk(out);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_TRUE(terminal_event(events[0].type));
    EXPECT_EQ(events[0].type, terminal_event_type(state));
  }
  EXPECT_FALSE(terminal_event("delta"));
}

TEST(ToolCall, IsAnEventOfItsOwnAndPartOfTheResult) {
  Outcome outcome;
  outcome.state = JobState::succeeded;
  outcome.finish_reason = "tool_calls";
  outcome.model = "m";
  outcome.tool_calls = {{"c\"1", "f", R"({"a":"한"})"}, {"c2", "g", "no json"}};
  std::string out;
  const EventWriter write(id, accepted);
  write.tool_call(out, at(4), outcome.tool_calls[0]);
  write.terminal(out, at(5), outcome);
  const auto events = walk(out);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].type, "tool_call");
  EXPECT_FALSE(terminal_event(events[0].type));
  const std::string first = R"("call_id":"c\"1","name":"f","arguments":"{\"a\":\"한\"}"})";
  EXPECT_TRUE(events[0].json.ends_with("," + first)) << events[0].json;
  EXPECT_TRUE(events[1].json.ends_with(
      R"("result":{"text":"","finish_reason":"tool_calls","model":"m","tool_calls":[{)" + first +
      R"(,{"call_id":"c2","name":"g","arguments":"no json"}]}})"))
      << events[1].json;
}

TEST(ToolCall, IsReadBackAsItWasWritten) {
  const std::vector<ToolCall> calls{{"c\"1", "f", R"({"a":"한"})"}, {"c2", "g", ""}};
  std::string json;
  append_tool_calls(json, calls);
  EXPECT_EQ(read_tool_calls(json), calls);
  EXPECT_TRUE(read_tool_calls("").empty());
  EXPECT_TRUE(read_tool_calls("[]").empty());
  EXPECT_TRUE(read_tool_calls(R"({"a":1})").empty());
  EXPECT_EQ(read_tool_calls(R"([7,{"call_id":"c","name":"f","arguments":"x"}])").size(), 1u);
}

}  // namespace
}  // namespace millrace
