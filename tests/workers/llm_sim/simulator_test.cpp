#include "shared/runtime/json_text.h"
#include "tests/workers/llm_sim/sim_world.h"

namespace millrace {
namespace {

constexpr auto streamed = R"(,"stream":true)";
constexpr auto with_usage = R"(,"stream":true,"stream_options":{"include_usage":true})";

using Stream = SimTest;
using Whole = SimTest;
using Continue = SimTest;
using Counts = SimTest;

TEST_F(Stream, HasTheShapeOfOpenAisChunksByteForByte) {
  auto& exchange = chat("sim-50ms-2tok-10gap", with_usage);
  clock.run_for(1s);
  const auto tokens = tokens_in(exchange.reader.text);
  ASSERT_EQ(tokens.size(), 2u);
  const std::string head =
      R"(data: {"id":"chatcmpl-sim-1","object":"chat.completion.chunk","created":1767225600,)"
      R"("model":"sim-50ms-2tok-10gap","system_fingerprint":"fp_millrace_sim","choices":[)";
  const std::string tail = "],\"usage\":null}\n\n";
  const auto delta = [&](const std::string& inside, const std::string& reason) {
    return head + R"({"index":0,"delta":{)" + inside + R"(},"logprobs":null,"finish_reason":)" +
           reason + "}" + tail;
  };
  EXPECT_EQ(exchange.reader.text,
            delta(R"("role":"assistant","content":"")", "null") +
                delta(R"("content":")" + tokens[0] + "\"", "null") +
                delta(R"("content":")" + tokens[1] + "\"", "null") + delta("", R"("stop")") + head +
                R"(],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":6}})" +
                "\n\ndata: [DONE]\n\n");
  EXPECT_EQ(exchange.response.content_type, "text/event-stream");
  EXPECT_TRUE(exchange.reader.ended);
}

TEST_F(Stream, TellsNoUsageUnlessAsked) {
  auto& exchange = chat("sim-0ms-2tok-0gap");
  clock.run_for(0s);
  EXPECT_EQ(exchange.reader.text.find("usage"), std::string::npos);
  EXPECT_TRUE(exchange.reader.text.ends_with("data: [DONE]\n\n"));
}

TEST_F(Stream, KeepsToAnAbsoluteSchedule) {
  auto& exchange = chat("sim-50ms-4tok-10gap");
  clock.run_for(10s);
  std::vector<Duration> times;
  for (const auto& [when, bytes] : exchange.reader.writes) times.push_back(when);
  EXPECT_EQ(times, (std::vector<Duration>{50ms, 60ms, 70ms, 80ms, 80ms}));
}

TEST_F(Stream, JoinsTokensThatAreDueAtOnceButNeverChunks) {
  auto& exchange = chat("sim-5ms-100tok-0gap");
  clock.run_for(5ms);
  EXPECT_EQ(exchange.reader.writes.size(), 2u);
  EXPECT_EQ(tokens_in(exchange.reader.text).size(), 100u);
}

TEST_F(Stream, TheSameQuestionGetsTheSameTokensAndAnotherGetsOthers) {
  auto& first = chat("sim-0ms-30tok-0gap");
  auto& again = chat("sim-9ms-40tok-1gap");
  auto& other = chat("sim-0ms-30tok-0gap", streamed, "", "", "something else");
  clock.run_for(1s);
  const auto tokens = tokens_in(first.reader.text);
  EXPECT_EQ(joined(tokens), joined(tokens_in(again.reader.text), 0, 30));
  EXPECT_NE(joined(tokens), joined(tokens_in(other.reader.text)));
}

TEST_F(Stream, AnswersKoreanInKoreanWords) {
  auto& exchange = chat("sim-0ms-20tok-0gap", streamed, "", "", "방앗간 이야기를 해 줘");
  clock.run_for(1s);
  const auto text = joined(tokens_in(exchange.reader.text));
  EXPECT_TRUE(valid_utf8(text));
  EXPECT_GT(text.size(), 20u * 4);
  EXPECT_EQ(text.find_first_of("abcdefghijklmnopqrstuvwxyz"), std::string::npos);
}

TEST_F(Stream, MaxTokensEndsItWithLength) {
  auto& cut = chat("sim-0ms-30tok-0gap", R"(,"stream":true,"max_tokens":7)");
  auto& fits = chat("sim-0ms-7tok-0gap", R"(,"stream":true,"max_completion_tokens":7)");
  clock.run_for(1s);
  EXPECT_EQ(tokens_in(cut.reader.text).size(), 7u);
  EXPECT_NE(cut.reader.text.find(R"("finish_reason":"length")"), std::string::npos);
  EXPECT_NE(fits.reader.text.find(R"("finish_reason":"stop")"), std::string::npos);
}

TEST_F(Stream, StampsSayWhenTheyLeft) {
  auto& exchange = chat("sim-50ms-3tok-10gap-stamp");
  clock.run_for(1s);
  EXPECT_EQ(joined(tokens_in(exchange.reader.text)), "@50000000@ @60000000@ @70000000@ ");
}

TEST_F(Stream, AnyOtherNameSaysThatItIsASimulationInTheLanguageOfTheQuestion) {
  auto& english = chat("gpt-4o");
  auto& korean = chat("sim-of-nothing", streamed, "", "", "안녕?");
  clock.run_for(10s);
  EXPECT_NE(joined(tokens_in(english.reader.text)).find("simulation"), std::string::npos);
  EXPECT_NE(joined(tokens_in(korean.reader.text)).find("시뮬레이션"), std::string::npos);
  EXPECT_GT(english.reader.writes.size(), 20u);
  EXPECT_TRUE(english.reader.text.ends_with("data: [DONE]\n\n"));
}

TEST_F(Stream, EndsAtOnceWhenTheServerDrains) {
  auto& exchange = chat("sim-50ms-1000tok-100gap");
  clock.run_for(1s);
  exchange.reader.drain();
  clock.run_for(0s);
  EXPECT_TRUE(exchange.reader.cut);
  EXPECT_TRUE(counts(R"("client_closes":0)"));
}

TEST_F(Whole, HasTheShapeOfOpenAisCompletion) {
  auto& exchange = chat("sim-50ms-3tok-10gap", "");
  clock.run_for(69ms);
  EXPECT_EQ(exchange.reader.text, "");
  clock.run_for(1ms);
  auto& stream = chat("sim-0ms-3tok-0gap");
  clock.run_for(1s);
  EXPECT_EQ(exchange.reader.text,
            R"({"id":"chatcmpl-sim-1","object":"chat.completion","created":1767225600,)"
            R"("model":"sim-50ms-3tok-10gap","system_fingerprint":"fp_millrace_sim","choices":[)"
            R"({"index":0,"message":{"role":"assistant","content":")" +
                joined(tokens_in(stream.reader.text)) +
                R"(","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":)"
                R"({"prompt_tokens":4,"completion_tokens":3,"total_tokens":7}})");
  EXPECT_EQ(exchange.response.content_type, "application/json");
}

TEST_F(Continue, GoesOnWithTheTokenAfterThePrefix) {
  auto& whole = chat("sim-0ms-30tok-0gap");
  clock.run_for(0s);
  const auto tokens = tokens_in(whole.reader.text);
  for (const std::size_t said : {1u, 12u, 29u}) {
    auto& rest = chat("sim-0ms-30tok-0gap", streamed, "", joined(tokens, 0, said));
    clock.run_for(0s);
    EXPECT_EQ(joined(tokens_in(rest.reader.text)), joined(tokens, said));
    EXPECT_EQ(tokens_in(rest.reader.text).size(), 30 - said);
  }
}

TEST_F(Continue, GoesOnInsideATokenThatWasCutAndBehindOtherWords) {
  auto& whole = chat("sim-0ms-30tok-0gap");
  clock.run_for(0s);
  const auto tokens = tokens_in(whole.reader.text);
  const auto half = joined(tokens, 0, 5) + tokens[5].substr(0, 2);
  auto& rest = chat("sim-0ms-30tok-0gap", streamed, "", half);
  auto& behind = chat("sim-0ms-30tok-0gap", streamed, "", "Sure: " + joined(tokens, 0, 5));
  auto& foreign = chat("sim-0ms-30tok-0gap", streamed, "", "none of its words");
  clock.run_for(0s);
  EXPECT_EQ(half + joined(tokens_in(rest.reader.text)), joined(tokens));
  EXPECT_EQ(joined(tokens_in(behind.reader.text)), joined(tokens, 5));
  EXPECT_EQ(joined(tokens_in(foreign.reader.text)), joined(tokens));
}

TEST_F(Continue, CountsOnlyWhatItStillSends) {
  auto& whole = chat("sim-0ms-30tok-0gap");
  clock.run_for(0s);
  const auto said = joined(tokens_in(whole.reader.text), 0, 12);
  send(http::Method::post, "/sim/reset", "");
  auto& rest = chat("sim-0ms-30tok-0gap", R"(,"stream":true,"max_tokens":10)", "", said);
  auto& all_said = chat("sim-0ms-12tok-0gap", streamed, "", said);
  clock.run_for(0s);
  EXPECT_EQ(tokens_in(rest.reader.text).size(), 10u);
  EXPECT_TRUE(tokens_in(all_said.reader.text).empty());
  EXPECT_NE(all_said.reader.text.find(R"("finish_reason":"stop")"), std::string::npos);
  EXPECT_TRUE(counts(R"("tokens_asked":10,"tokens_sent":10)"));
}

TEST_F(Continue, CountsStampsAndDefaultWords) {
  auto& stamped = chat("sim-0ms-5tok-0gap-stamp", streamed, "", "@1@ @2@ @3@ ");
  auto& whole = chat("other");
  clock.run_for(10s);
  EXPECT_EQ(tokens_in(stamped.reader.text).size(), 2u);
  const auto tokens = tokens_in(whole.reader.text);
  auto& rest = chat("other", streamed, "", joined(tokens, 0, 4));
  clock.run_for(10s);
  EXPECT_EQ(joined(tokens_in(rest.reader.text)), joined(tokens, 4));
}

TEST_F(Counts, SayWhatWasAskedForAndSentInAllAndByJob) {
  chat("sim-0ms-30tok-0gap", streamed, "job-1");
  auto& open = chat("sim-50ms-30tok-10gap", R"(,"stream":true,"max_tokens":20)", "job-2");
  chat("sim-50ms-5tok-10gap", "");
  clock.run_for(100ms);
  EXPECT_TRUE(counts(R"({"requests":3,"in_flight":1,"max_in_flight":2,"open":1,)"
                     R"("tokens_asked":55,"tokens_sent":41,"client_closes":0,"faults":{},)"))
      << stats();
  EXPECT_TRUE(counts(R"("job-1":{"requests":1,"tokens_asked":30,"tokens_sent":30,)"
                     R"("closed_early":null})"));
  open.reader.leave();
  clock.run_for(0s);
  EXPECT_TRUE(counts(R"("job-2":{"requests":1,"tokens_asked":20,"tokens_sent":6,)"
                     R"("closed_early":"2026-01-01T00:00:00.100Z"})"))
      << stats();
  EXPECT_TRUE(counts(R"("open":0)") && counts(R"("client_closes":1)"));
}

TEST_F(Counts, ResetForgetsAllButWhatIsRunning) {
  chat("sim-50ms-30tok-10gap", streamed, "job-1");
  send(http::Method::post, "/sim/reset", "");
  EXPECT_EQ(stats(), R"({"requests":0,"in_flight":1,"max_in_flight":1,"open":1,"tokens_asked":0,)"
                     R"("tokens_sent":0,"client_closes":0,"faults":{},"jobs":{}})");
  clock.run_for(10s);
  EXPECT_TRUE(counts(R"("in_flight":0)"));
}

TEST_F(SimTest, ListsModels) {
  const auto& body = send(http::Method::get, "/v1/models", "").response.body;
  EXPECT_TRUE(body.starts_with(R"({"object":"list","data":[{"id":"default","object":"model",)"));
  EXPECT_TRUE(body.ends_with("}]}"));
}

const std::string two_tools =
    R"(,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object",)"
    R"("properties":{"a":{"type":"string"},"b":{"type":"integer"},"c":{"enum":["x","y"]},)"
    R"("d":{"type":"array"}},"required":["b","c"]}}},{"type":"function","function":{"name":"g"}}])";

using Tools = SimTest;

TEST_F(Tools, AreCalledInPiecesInsteadOfWords) {
  const auto& text = chat("sim-0ms-5tok-0gap-tool2", std::string(streamed) + two_tools).reader.text;
  clock.run_for(1s);
  const auto has = [&text](std::string_view part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(has(R"("delta":{"tool_calls":[{"index":0,"id":"call_chatcmpl-sim-1_0",)"
                  R"("type":"function","function":{"name":"f","arguments":""}}]})"));
  EXPECT_TRUE(has(R"("delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"b\":7,\""}}]})"))
      << text;
  EXPECT_TRUE(has(R"("id":"call_chatcmpl-sim-1_1","type":"function","function":{"name":"g")"));
  EXPECT_TRUE(has(R"("finish_reason":"tool_calls")"));
  EXPECT_TRUE(tokens_in(text).empty());
}

TEST_F(SimTest, TellsReasoningAndRefusalBesideTheText) {
  for (const std::string& body : {std::string(streamed), std::string()}) {
    const auto& text = chat("sim-0ms-3tok-0gap-think2-refuse", body).reader.text;
    clock.run_for(1s);
    EXPECT_NE(text.find(R"("reasoning_content":")"), std::string::npos) << text;
    EXPECT_NE(text.find(R"("refusal":")"), std::string::npos) << text;
  }
}

TEST_F(Tools, AreCalledInOnePieceToo) {
  auto& exchange = chat("sim-0ms-5tok-0gap-tool", two_tools);
  clock.run_for(1s);
  EXPECT_NE(
      exchange.reader.text.find(R"("tool_calls":[{"id":"call_chatcmpl-sim-1_0","type":"function",)"
                                R"("function":{"name":"f","arguments":"{\"b\":7,\"c\":\"x\"}"}}]},)"
                                R"("logprobs":null,"finish_reason":"tool_calls")"),
      std::string::npos)
      << exchange.reader.text;
}

TEST_F(Tools, AreNotCalledWhereTheyMustNotBeOrThereAreNone) {
  auto& none = chat("sim-0ms-5tok-0gap-tool",
                    std::string(streamed) + two_tools + R"(,"tool_choice":"none")");
  auto& without = chat("sim-0ms-5tok-0gap-tool");
  clock.run_for(1s);
  EXPECT_EQ(tokens_in(none.reader.text).size(), 5u);
  EXPECT_EQ(tokens_in(without.reader.text).size(), 5u);
}

TEST_F(Tools, TheOneThatIsChosenIsCalled) {
  const std::string choice = R"(,"tool_choice":{"type":"function","function":{"name":"g"}})";
  auto& exchange = chat("sim-0ms-5tok-0gap-tool", std::string(streamed) + two_tools + choice);
  clock.run_for(1s);
  EXPECT_EQ(exchange.reader.text.find(R"("name":"f")"), std::string::npos);
  EXPECT_NE(exchange.reader.text.find(R"("name":"g")"), std::string::npos);
}

TEST_F(Stream, StopsBeforeAStopSequence) {
  auto& whole = chat("sim-0ms-30tok-0gap");
  clock.run_for(1s);
  const auto tokens = tokens_in(whole.reader.text);
  auto& stopped =
      chat("sim-0ms-30tok-0gap", std::string(streamed) + R"(,"stop":["@",")" + tokens[4] + "\"]");
  clock.run_for(1s);
  EXPECT_LE(tokens_in(stopped.reader.text).size(), 4u);
  EXPECT_EQ(joined(tokens_in(stopped.reader.text)),
            joined(tokens, 0, tokens_in(stopped.reader.text).size()));
  EXPECT_NE(stopped.reader.text.find(R"("finish_reason":"stop")"), std::string::npos);
}

}  // namespace
}  // namespace millrace
