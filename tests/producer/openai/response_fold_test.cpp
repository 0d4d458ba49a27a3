#include "producer/openai/response_fold.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "tests/producer/openai/log_lines.h"

namespace millrace::openai {
namespace {

const std::string shown = R"({"background":false,"instructions":null,"store":true})";
const std::string uuid = "01a1fe87-e606-7657-bf68-4eb31e12a026";

ResponseHead head(bool background = false) {
  return {.id = id,
          .created_at = accepted,
          .model = "m",
          .shown = shown,
          .background = background,
          .stored = true};
}

std::string told_of(std::string_view frames, std::optional<Seq> after = {},
                    bool background = false) {
  ResponseFold fold(head(background), after);
  std::string bytes;
  relay::Frame frame;
  while (relay::next_frame(frames, frame))
    fold.take(frame.type, frame.seq.value_or(0), frame.data, bytes);
  EXPECT_TRUE(frames.empty());
  return bytes;
}

std::string told_by(const Log& log, std::optional<Seq> after = {}, bool background = false) {
  return told_of(frames_of(log), after, background);
}

/// One event of a stream.
struct Event {
  Seq number = 0;
  std::string type;
  std::string json;

  std::string at(std::string_view pointer) const {
    simdjson::dom::parser parser;
    simdjson::dom::element found;
    if (parser.parse(json).at_pointer(pointer).get(found)) return "absent";
    std::string_view text;
    return found.get(text) ? simdjson::minify(found) : std::string(text);
  }
};

std::vector<Event> events_of(std::string_view frames) {
  std::vector<Event> events;
  relay::Frame frame;
  while (relay::next_frame(frames, frame)) {
    events.push_back({frame.seq.value_or(0), std::string(frame.type), std::string(frame.data)});
    EXPECT_EQ(events.back().at("/sequence_number"), std::to_string(events.back().number));
    EXPECT_EQ(events.back().at("/type"), events.back().type);
  }
  EXPECT_TRUE(frames.empty());
  return events;
}

/// `0 created 1 in_progress …`, without the `response.` in front of each.
std::string order(std::string_view frames) {
  std::string text;
  for (const auto& event : events_of(frames)) {
    if (!text.empty()) text += ' ';
    text += std::to_string(event.number) + " " + event.type.substr(event.type.find('.') + 1);
  }
  return text;
}

Event last(std::string_view frames) {
  const auto events = events_of(frames);
  return events.empty() ? Event() : events.back();
}

const std::string frame_of_delta =
    "event: response.output_text.delta\ndata: "
    R"({"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_)" +
    uuid +
    R"(_0","output_index":0,"content_index":0,"delta":"한 \"글\"","logprobs":[]})"
    "\nid: 4\n\n";

TEST(ResponseFold, TellsEachEventInItsOrderWithRisingNumbers) {
  const auto told = told_by(Log().queued().started().delta("안").delta("녕").end(answer("안녕")));
  EXPECT_EQ(order(told),
            "0 created 1 in_progress 2 output_item.added 3 content_part.added "
            "4 output_text.delta 5 output_text.delta 6 output_text.done 7 content_part.done "
            "8 output_item.done 9 completed");
  const auto end = last(told);
  EXPECT_EQ(end.at("/response/status"), "completed");
  EXPECT_EQ(end.at("/response/model"), "m-2026");
  EXPECT_EQ(end.at("/response/output/0/content/0/text"), "안녕");
  EXPECT_EQ(end.at("/response/usage/input_tokens"), "4");
  EXPECT_EQ(end.at("/response/usage/output_tokens"), "2");
}

TEST(ResponseFold, ADeltaIsCopiedAsItStands) {
  const auto told = told_by(Log().queued().started().delta("한 \"글\""));
  EXPECT_TRUE(told.ends_with(frame_of_delta)) << told;
}

TEST(ResponseFold, OneInTheBackgroundIsQueuedFirst) {
  const auto told = told_by(Log().queued().started(), {}, true);
  EXPECT_EQ(order(told), "0 created 1 queued 2 in_progress");
  EXPECT_EQ(events_of(told)[0].at("/response/status"), "queued");
  EXPECT_EQ(events_of(told)[2].at("/response/status"), "in_progress");
}

TEST(ResponseFold, ToolCallsAreItemsBehindTheText) {
  auto outcome = answer("let me see");
  outcome.finish_reason = "tool_calls";
  outcome.tool_calls = {{"call_1", "weather", R"({"city":"서울"})"}};
  const auto told = told_by(Log().queued().started().delta("let me see").end(outcome));
  EXPECT_EQ(order(told),
            "0 created 1 in_progress 2 output_item.added 3 content_part.added "
            "4 output_text.delta 5 output_text.done 6 content_part.done 7 output_item.done "
            "8 output_item.added 9 function_call_arguments.delta "
            "10 function_call_arguments.done 11 output_item.done 12 completed");
  const auto end = last(told);
  EXPECT_EQ(end.at("/response/output/1/type"), "function_call");
  EXPECT_EQ(end.at("/response/output/1/call_id"), "call_1");
  EXPECT_EQ(end.at("/response/output/1/arguments"), R"({"city":"서울"})");
  EXPECT_EQ(events_of(told)[8].at("/output_index"), "1");
  EXPECT_EQ(events_of(told)[8].at("/item/arguments"), "");
}

TEST(ResponseFold, AnAnswerThatWasCutIsIncompleteAndSaysWhy) {
  auto outcome = answer("a");
  outcome.finish_reason = "length";
  const auto end = last(told_by(Log().queued().started().delta("a").end(outcome)));
  EXPECT_EQ(end.type, "response.incomplete");
  EXPECT_EQ(end.at("/response/incomplete_details/reason"), "max_output_tokens");
  EXPECT_EQ(end.at("/response/output/0/status"), "incomplete");
}

TEST(ResponseFold, AnAnswerWithoutWordsHasAnEmptyMessage) {
  const auto told = told_by(Log().queued().started().end(answer("")));
  EXPECT_EQ(last(told).at("/response/output/0/content/0/text"), "");
  EXPECT_EQ(last(told).at("/response/output/0/status"), "completed");
}

TEST(ResponseFold, AFailureHasItsCodeAndWhatWasSaid) {
  const auto end =
      last(told_by(Log().queued().started().delta("a").end(failure("upstream_busy", "later"))));
  EXPECT_EQ(end.type, "response.failed");
  EXPECT_EQ(end.at("/response/status"), "failed");
  EXPECT_EQ(end.at("/response/error/code"), "rate_limit_exceeded");
  EXPECT_EQ(end.at("/response/error/type"), "upstream_busy");
  EXPECT_EQ(end.at("/response/error/message"), "later");
  EXPECT_EQ(end.at("/response/output/0/status"), "incomplete");
  EXPECT_EQ(last(told_by(Log().end(ended(JobState::expired)))).at("/response/error/code"),
            "server_error");
}

TEST(ResponseFold, ACancelIsAnIncompleteEndOfACancelledResponse) {
  const auto end =
      last(told_by(Log().queued().started().delta("a").end(ended(JobState::cancelled))));
  EXPECT_EQ(end.type, "response.incomplete");
  EXPECT_EQ(end.at("/response/status"), "cancelled");
  EXPECT_EQ(end.at("/response/incomplete_details"), "null");
}

TEST(ResponseFold, ARewindClosesTheItemAndTheAnswerHoldsTheNextAlone) {
  const auto told =
      told_by(Log().queued().started().delta("wrong").rewind(2).started().delta("right").end(
          answer("right")));
  EXPECT_EQ(order(told),
            "0 created 1 in_progress 2 output_item.added 3 content_part.added "
            "4 output_text.delta 5 output_text.done 6 content_part.done 7 output_item.done "
            "8 output_item.added 9 content_part.added 10 output_text.delta 11 output_text.done "
            "12 content_part.done 13 output_item.done 14 completed");
  const auto events = events_of(told);
  EXPECT_EQ(events[7].at("/item/status"), "incomplete");
  EXPECT_EQ(events[7].at("/item/content/0/text"), "wrong");
  EXPECT_EQ(events[8].at("/output_index"), "1");
  const std::string name = "msg_" + uuid + "_0";
  for (const std::size_t i : {2, 7, 8, 13}) EXPECT_EQ(events[i].at("/item/id"), name) << i;
  EXPECT_EQ(events[10].at("/item_id"), name);
  EXPECT_EQ(events[14].at("/response/output/0/id"), name) << "as it is kept";
  EXPECT_EQ(events[14].at("/response/output/0/content/0/text"), "right");
  EXPECT_EQ(events[14].at("/response/output/1"), "absent");
}

TEST(ResponseFold, ARewindToTheMiddleKeepsWhatStandsInFrontOfIt) {
  const auto told = told_by(
      Log().queued().started().delta("a").delta("b").rewind(3).delta("c").end(answer("ac")));
  EXPECT_EQ(last(told).at("/response/output/0/content/0/text"), "ac");
  const auto silent = told_by(Log().queued().started().rewind(0).delta("b").end(answer("b")));
  EXPECT_FALSE(silent.contains(R"("incomplete")"));
}

TEST(ResponseFold, StartingBehindAnyNumberGivesExactlyTheRest) {
  auto outcome = answer("wor\"ds");
  outcome.tool_calls = {{"call_1", "weather", "{}"}};
  const Log log =
      Log().queued().started().delta("no").rewind(2).delta("wor\"").delta("ds").end(outcome);
  for (const bool background : {false, true}) {
    const auto whole = told_by(log, {}, background);
    std::string_view rest = whole;
    relay::Frame frame;
    Seq number = 0;
    while (relay::next_frame(rest, frame)) {
      EXPECT_EQ(frame.seq, number);
      EXPECT_EQ(told_by(log, number++, background), rest);
    }
  }
}

TEST(ResponseFold, HowTheEventsArriveChangesNoByte) {
  const Log log = Log().queued().started().delta("a").delta("한글").end(answer("a한글"));
  ResponseFold fold(head());
  std::string bytes;
  std::string_view lines = log.lines;
  EventLine event;
  while (next_event(lines, event)) {
    std::string piece;
    fold.take(event.type, event.seq, event.json, piece);
    bytes += piece;
  }
  EXPECT_EQ(bytes, told_by(log));
  fold.take("delta", 99, R"({"type":"delta","text":"late"})", bytes);
  EXPECT_EQ(bytes, told_by(log));
}

// --- beside the text

TEST(ResponseFold, ReasoningIsAnItemInFrontOfTheMessage) {
  auto outcome = answer("hm");
  outcome.asides.reasoning = "let me";
  const auto told = told_by(Log()
                                .queued()
                                .started()
                                .aside(Aside::reasoning, "let ")
                                .aside(Aside::reasoning, "me")
                                .delta("hm")
                                .end(outcome));
  EXPECT_EQ(order(told),
            "0 created 1 in_progress 2 output_item.added 3 content_part.added "
            "4 reasoning_text.delta 5 reasoning_text.delta 6 reasoning_text.done "
            "7 content_part.done 8 output_item.done 9 output_item.added 10 content_part.added "
            "11 output_text.delta 12 output_text.done 13 content_part.done 14 output_item.done "
            "15 completed");
  const auto end = last(told);
  EXPECT_EQ(end.at("/response/output/0/type"), "reasoning");
  EXPECT_EQ(end.at("/response/output/0/content/0/text"), "let me");
  EXPECT_EQ(end.at("/response/output/0/summary"), "[]");
  EXPECT_EQ(end.at("/response/output/1/id"), "msg_" + uuid + "_0");
  EXPECT_EQ(end.at("/response/output/1/content/0/text"), "hm");
}

TEST(ResponseFold, ARefusalIsAPartOfTheMessage) {
  auto outcome = answer("");
  outcome.asides.refusal = "no";
  const auto told = told_by(Log().queued().started().aside(Aside::refusal, "no").end(outcome));
  EXPECT_EQ(order(told),
            "0 created 1 in_progress 2 output_item.added 3 content_part.added 4 refusal.delta "
            "5 refusal.done 6 content_part.done 7 output_item.done 8 completed");
  EXPECT_EQ(last(told).at("/response/output/0/content/0/refusal"), "no");
  EXPECT_EQ(last(told).at("/response/output/1"), "absent");
}

TEST(ResponseFold, ARefusalBehindWordsIsThePartBehindThem) {
  auto outcome = answer("well");
  outcome.asides.refusal = "no";
  const auto end = last(
      told_by(Log().queued().started().delta("well").aside(Aside::refusal, "no").end(outcome)));
  EXPECT_EQ(end.at("/response/output/0/content/0/text"), "well");
  EXPECT_EQ(end.at("/response/output/0/content/1/refusal"), "no");
}

TEST(ResponseFold, ARewindTakesBackWhatWasReasonedToo) {
  auto outcome = answer("b");
  outcome.asides.reasoning = "new";
  const auto end = last(told_by(Log()
                                    .queued()
                                    .started()
                                    .aside(Aside::reasoning, "old")
                                    .delta("a")
                                    .rewind(2)
                                    .aside(Aside::reasoning, "new")
                                    .delta("b")
                                    .end(outcome)));
  EXPECT_EQ(end.at("/response/output/0/content/0/text"), "new");
  EXPECT_EQ(end.at("/response/output/1/content/0/text"), "b");
  EXPECT_EQ(end.at("/response/output/2"), "absent");
}

TEST(ResponseFold, WordsInFrontOfReasoningThatIsTakenBackAreThereOnce) {
  auto outcome = answer("ac");
  const auto end = last(told_by(Log()
                                    .queued()
                                    .started()
                                    .delta("a")
                                    .aside(Aside::reasoning, "old")
                                    .delta("b")
                                    .rewind(3)
                                    .delta("c")
                                    .end(outcome)));
  EXPECT_EQ(end.at("/response/output/0/content/0/text"), "ac");
  EXPECT_EQ(end.at("/response/output/1"), "absent");
}

TEST(ResponseFold, WhatWasSaidBesideALostLogIsInTheLastEvent) {
  auto outcome = answer("hm");
  outcome.asides.reasoning = "let me";
  Log log;
  log.gap(1, 900).snapshot("hm").end(outcome);
  EXPECT_EQ(last(told_by(log)).at("/response/output/0/content/0/text"), "let me");
  const auto stored = told_of(stored_frames(outcome));
  EXPECT_EQ(events_of(stored)[4].type, "response.reasoning_text.delta");
  EXPECT_EQ(last(stored).at("/response/output/1/content/0/text"), "hm");
}

// --- after a loss

TEST(ResponseFold, AfterALossNumbersGoOnBehindAllThatWereGiven) {
  const Log log =
      Log().queued().started().delta("a").gap(4, 900).snapshot("a").delta("b").end(answer("ab"));
  EXPECT_EQ(order(told_by(log)),
            "0 created 1 in_progress 2 output_item.added 3 content_part.added "
            "4 output_text.delta 901 output_text.delta 902 output_text.done "
            "903 content_part.done 904 output_item.done 905 completed");
}

TEST(ResponseFold, WhoBeginsBehindALossIsToldTheTextSoFarAndTheSameNumbersFromThereOn) {
  Log log;
  log.gap(1, 900).snapshot("a").delta("b").end(answer("ab"));
  const auto told = told_by(log);
  EXPECT_EQ(order(told),
            "0 created 1 in_progress 2 output_item.added 3 content_part.added "
            "4 output_text.delta 901 output_text.delta 902 output_text.done "
            "903 content_part.done 904 output_item.done 905 completed");
  EXPECT_EQ(events_of(told)[4].at("/delta"), "a");
  EXPECT_EQ(last(told).at("/response/output/0/content/0/text"), "ab");
}

TEST(ResponseFold, AReaderWhosePlaceWasLostGetsTheLastEventAlone) {
  Log log;
  log.gap(1, 900).snapshot("abc").delta("d").end(answer("abcd"));
  for (const Seq place : {0, 3, 4, 77, 900}) EXPECT_EQ(order(told_by(log, place)), "905 completed");
  EXPECT_EQ(order(told_by(log, 901)),
            "902 output_text.done 903 content_part.done 904 output_item.done 905 completed");
}

TEST(ResponseFold, AfterALossWithoutTheTextItBeginsAnew) {
  const Log log =
      Log().queued().started().delta("a").gap(4, 900).rewind(0).delta("b").end(answer("b"));
  const auto told = told_by(log);
  EXPECT_EQ(last(told).at("/response/output/0/content/0/text"), "b");
  EXPECT_EQ(last(told).at("/response/output/1"), "absent");
}

TEST(ResponseFold, ALogThatWasShortenedTellsTheTextAndKeepsItsNumbersApart) {
  const Log log = Log().queued().started().snapshot("abc").delta("d").end(answer("abcd"));
  EXPECT_EQ(order(told_by(log)),
            "0 created 1 in_progress 2 output_item.added 3 content_part.added "
            "4 output_text.delta 1000002 output_text.delta 1000003 output_text.done "
            "1000004 content_part.done 1000005 output_item.done 1000006 completed");
  EXPECT_EQ(order(told_by(log, 40)), "1000006 completed");
}

// --- the log has gone

const std::string stored_order =
    "0 created 1 in_progress 2 output_item.added 3 content_part.added 4 output_text.delta "
    "5 output_text.done 6 content_part.done 7 output_item.done 8 completed";

TEST(ResponseFold, AStoredResultIsToldAsAShortLog) {
  const auto told = told_of(stored_frames(answer("all of it")));
  EXPECT_EQ(order(told), stored_order);
  EXPECT_EQ(last(told).at("/response/output/0/content/0/text"), "all of it");
}

TEST(ResponseFold, BehindTheEndOfAShortLogTheLastEventIsToldAgain) {
  const auto frames = stored_frames(answer("all of it"));
  EXPECT_EQ(order(told_of(frames, 6)), "7 output_item.done 8 completed");
  EXPECT_EQ(order(told_of(frames, 8)), "8 completed");
  EXPECT_EQ(order(told_of(frames, 5000)), "8 completed");
}

TEST(ResponseFold, AStoredFailureIsToldToo) {
  const auto told = told_of(stored_frames(failure("upstream_cut", "it was cut")));
  EXPECT_EQ(order(told), "0 created 1 failed");
}

TEST(ResponseFold, ALogThatGoesUnderAReaderEndsWithTheWholeText) {
  const auto frames =
      relay::frame_page(id, Log().queued().started().delta("all ").lines, 0).frames +
      stored_frames(answer("all of it"));
  const auto told = told_of(frames);
  EXPECT_EQ(last(told).at("/response/output/0/content/0/text"), "all of it");
  EXPECT_EQ(events_of(told)[5].at("/delta"), "of it");
}

TEST(ResponseFold, AReasonThatIsInNoEventIsAnErrorWithoutAPlace) {
  ResponseFold fold(head());
  std::string bytes;
  fold.fail({.status = 503, .code = "stream_lost", .title = {}, .detail = "gone", .field = {}},
            bytes);
  EXPECT_EQ(bytes,
            "event: error\ndata: {\"type\":\"error\",\"sequence_number\":0,"
            "\"code\":\"stream_lost\",\"message\":\"gone\",\"param\":null}\n\n");
  EXPECT_TRUE(fold.over());
  EXPECT_FALSE(fold.job_ended());
}

}  // namespace
}  // namespace millrace::openai
