#include "producer/openai/chat_fold.h"

#include <gtest/gtest.h>

#include "tests/producer/openai/log_lines.h"

namespace millrace::openai {
namespace {

struct Told {
  std::string bytes;
  ChatFold fold;
};

Told told_of(std::string_view frames, bool include_usage) {
  Told told{.bytes = {}, .fold = ChatFold({id, accepted, "m", include_usage})};
  relay::Frame frame;
  while (relay::next_frame(frames, frame))
    told.fold.take(frame.type, frame.seq.value_or(0), frame.data, told.bytes);
  EXPECT_TRUE(frames.empty());
  return told;
}

/// What a reader of the whole log is told.
Told told_by(const Log& log, bool include_usage = false) {
  return told_of(frames_of(log), include_usage);
}

std::string chunk(std::string_view choice, std::string_view tail = "",
                  std::string_view model = "m") {
  return R"(data: {"id":"chatcmpl-01a1fe87-e606-7657-bf68-4eb31e12a026",)"
         R"("object":"chat.completion.chunk","created":1790000000,"model":")" +
         std::string(model) + R"(","choices":[)" + std::string(choice) + "]" + std::string(tail) +
         "}\n\n";
}

std::string delta_chunk(std::string_view delta, std::string_view tail = "") {
  return chunk(
      R"({"index":0,"delta":{)" + std::string(delta) + R"(},"logprobs":null,"finish_reason":null})",
      tail);
}

/// Who answered is known at the end.
std::string end_chunk(std::string_view reason, std::string_view tail = "") {
  return chunk(
      R"({"index":0,"delta":{},"logprobs":null,"finish_reason":")" + std::string(reason) + "\"}",
      tail, "m-2026");
}

const std::string role = delta_chunk(R"("role":"assistant","content":"")");
const std::string done = "data: [DONE]\n\n";

std::string said(std::string_view escaped) {
  return delta_chunk(R"("content":")" + std::string(escaped) + "\"");
}

std::string error(std::string_view code, const std::string& bytes) {
  const std::string mark = R"(,"param":null,"code":")" + std::string(code) + "\"}}\n\n";
  return bytes.ends_with(mark) ? mark : "another error than " + std::string(code);
}

TEST(ChatFold, EachDeltaIsAChunkBehindTheRoleAndTheEndIsOneOfItsOwn) {
  const auto told =
      told_by(Log().queued().started().delta("안녕").delta(" \"you\"\n").end(answer("안녕 …")));
  EXPECT_EQ(told.bytes, role + said("안녕") + said(R"( \"you\"\n)") + end_chunk("stop") + done);
  EXPECT_TRUE(told.fold.over());
  EXPECT_FALSE(told.fold.failure());
}

TEST(ChatFold, NothingIsToldBeforeThereIsSomethingToSay) {
  const auto told = told_by(Log().queued().started());
  EXPECT_EQ(told.bytes, "");
  EXPECT_FALSE(told.fold.spoken());
}

TEST(ChatFold, UsageThatWasAskedForIsAChunkWithoutChoicesAndNullInAllOthers) {
  const std::string none = R"(,"usage":null)";
  const auto told = told_by(Log().delta("a").end(answer("a")), true);
  EXPECT_EQ(told.bytes,
            delta_chunk(R"("role":"assistant","content":"")", none) +
                delta_chunk(R"("content":"a")", none) + end_chunk("stop", none) +
                chunk("", R"(,"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6})",
                      "m-2026") +
                done);
}

TEST(ChatFold, UsageThatIsNotKnownIsNotMadeUp) {
  auto outcome = answer("a");
  outcome.usage.clear();
  const auto told = told_by(Log().delta("a").end(outcome), true);
  EXPECT_FALSE(told.bytes.contains("prompt_tokens"));
  EXPECT_TRUE(told.bytes.ends_with(done));
}

TEST(ChatFold, AnAnswerWithoutWordsIsStillAnAnswer) {
  EXPECT_EQ(told_by(Log().end(answer(""))).bytes, role + end_chunk("stop") + done);
}

TEST(ChatFold, TextThatLooksLikeOurOwnJsonIsText) {
  const std::string text = R"(","text":"x","upto":7}],"finish_reason":"stop"}\)";
  const auto told = told_by(Log().delta(text).snapshot(text + "!").end(answer(text + "!")));
  const std::string escaped = R"(\",\"text\":\"x\",\"upto\":7}],\"finish_reason\":\"stop\"}\\)";
  EXPECT_EQ(told.bytes, role + said(escaped) + said("!") + end_chunk("stop") + done);
}

TEST(ChatFold, ToolCallsAreDeltasWithTheirIndexAndWholeArguments) {
  auto outcome = answer("");
  outcome.finish_reason = "tool_calls";
  outcome.tool_calls = {{"call_1", "weather", R"({"city":"서울"})"}, {"call_2", "time", ""}};
  const auto told = told_by(Log().queued().end(outcome));
  EXPECT_EQ(
      told.bytes,
      delta_chunk(R"("role":"assistant","content":null)") +
          delta_chunk(R"("tool_calls":[{"index":0,"id":"call_1","type":"function",)"
                      R"("function":{"name":"weather","arguments":"{\"city\":\"서울\"}"}}])") +
          delta_chunk(R"("tool_calls":[{"index":1,"id":"call_2","type":"function",)"
                      R"("function":{"name":"time","arguments":""}}])") +
          end_chunk("tool_calls") + done);
}

TEST(ChatFold, ToolCallsWhoseEventsAreLostAreTakenFromTheEnd) {
  auto outcome = answer("");
  outcome.tool_calls = {{"call_1", "weather", "{}"}};
  Log log;
  log.end(outcome);
  const auto whole = told_by(log);
  Log short_log;
  short_log.lines = log.lines.substr(log.lines.find('\n') + 1);
  EXPECT_EQ(told_by(short_log).bytes, whole.bytes);
}

TEST(ChatFold, WordsOfOtherServersBecomeOpenAisReasons) {
  const auto told = [](std::string reason) {
    auto outcome = answer("a");
    outcome.finish_reason = std::move(reason);
    return told_by(Log().end(outcome)).bytes;
  };
  EXPECT_TRUE(told("length").contains(R"("finish_reason":"length")"));
  EXPECT_TRUE(told("max_tokens").contains(R"("finish_reason":"length")"));
  EXPECT_TRUE(told("tool_use").contains(R"("finish_reason":"tool_calls")"));
  EXPECT_TRUE(told("eos_token").contains(R"("finish_reason":"stop")"));
}

TEST(ChatFold, ARewindOfWhatWasToldEndsTheStreamWithAnErrorAndNoDone) {
  const auto told = told_by(Log().queued().delta("a").rewind(1).delta("b").end(answer("b")));
  EXPECT_TRUE(told.bytes.starts_with(role + said("a") + R"(data: {"error":{"message":")"));
  EXPECT_EQ(error("stream_restarted", told.bytes), told.bytes.substr(told.bytes.find(",\"param")));
  EXPECT_FALSE(told.bytes.contains("[DONE]"));
  EXPECT_TRUE(told.fold.spoken());
}

TEST(ChatFold, ARewindThatTakesBackNothingIsNotHeard) {
  const auto silent = told_by(Log().queued().started().rewind(0).delta("b").end(answer("b")));
  EXPECT_EQ(silent.bytes, role + said("b") + end_chunk("stop") + done);
  const auto later = told_by(Log().delta("a").rewind(1).delta("b").end(answer("ab")));
  EXPECT_EQ(later.bytes, role + said("a") + said("b") + end_chunk("stop") + done);
}

TEST(ChatFold, WhatIsSaidBesideTheTextIsADeltaOfItsOwnName) {
  const auto told = told_by(Log()
                                .aside(Aside::reasoning, "\"hm\"")
                                .delta("a")
                                .aside(Aside::refusal, "no")
                                .end(answer("a")));
  EXPECT_EQ(told.bytes, role + delta_chunk(R"("reasoning_content":"\"hm\"")") + said("a") +
                            delta_chunk(R"("refusal":"no")") + end_chunk("stop") + done);
}

TEST(ChatFold, ARewindOfWhatWasReasonedEndsTheStreamToo) {
  const auto told =
      told_by(Log().queued().aside(Aside::reasoning, "a").rewind(1).delta("b").end(answer("b")));
  EXPECT_EQ(told.fold.failure()->code, "stream_restarted");
}

TEST(ChatFold, AfterALossTheStreamGoesOnWhereTheTextDoes) {
  const auto told =
      told_by(Log().delta("a\n").gap(2, 900).snapshot("a\nb").delta("c").end(answer("a\nbc")));
  EXPECT_EQ(told.bytes, role + said("a\\n") + said("b") + said("c") + end_chunk("stop") + done);
}

TEST(ChatFold, AfterALossAnotherTextEndsTheStream) {
  const auto told = told_by(Log().delta("a").gap(2, 900).snapshot("b").end(answer("b")));
  EXPECT_EQ(told.fold.failure()->code, "stream_restarted");
}

TEST(ChatFold, WordsBehindAHoleWaitUntilTheWholeTextIsKnown) {
  const auto told = told_by(Log().delta("a").gap(2, 9).delta("c").end(answer("abc")));
  EXPECT_EQ(told.bytes, role + said("a") + said("bc") + end_chunk("stop") + done);
}

TEST(ChatFold, ALogThatHasGoneIsToldFromTheStoredResult) {
  const auto told = told_of(stored_frames(answer("all of it")), false);
  EXPECT_EQ(told.bytes, role + said("all of it") + end_chunk("stop") + done);
}

TEST(ChatFold, AJobThatFailsIsAnErrorWithItsCodeAndWords) {
  const auto told = told_by(Log().delta("a").end(failure("upstream_cut", "it \"was\" cut")));
  EXPECT_TRUE(told.bytes.ends_with(
      R"(data: {"error":{"message":"it \"was\" cut","type":"server_error","param":null,)"
      "\"code\":\"upstream_cut\"}}\n\n"));
  EXPECT_EQ(told.fold.failure()->status, 502);
  EXPECT_EQ(told_by(Log().end(ended(JobState::cancelled))).fold.failure()->code, "cancelled");
  EXPECT_EQ(told_by(Log().end(ended(JobState::expired))).fold.failure()->status, 504);
}

TEST(ChatFold, HowTheEventsArriveChangesNoByte) {
  const Log log = Log().queued().started().delta("a").delta("한글").end(answer("a한글"));
  const auto whole = told_by(log, true).bytes;
  ChatFold fold({id, accepted, "m", true});
  std::string bytes;
  std::string_view lines = log.lines;
  EventLine event;
  while (next_event(lines, event)) {
    std::string piece;
    fold.take(event.type, event.seq, event.json, piece);
    bytes += piece;
  }
  EXPECT_EQ(bytes, whole);
}

TEST(ChatFold, NothingFollowsTheEnd) {
  ChatFold fold({id, accepted, "m", false});
  std::string bytes;
  fold.take("cancelled", 1, "{}", bytes);
  const auto before = bytes;
  fold.take("delta", 2, R"({"type":"delta","text":"late"})", bytes);
  EXPECT_EQ(bytes, before);
}

}  // namespace
}  // namespace millrace::openai
