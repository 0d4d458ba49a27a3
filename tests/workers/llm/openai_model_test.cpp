#include "workers/llm/openai_model.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "tests/shared/curl/scripted_server.h"

namespace millrace {
namespace {

using Answer = std::expected<ChatEnd, ChatFailure>;

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string last_chunk = "0\r\n\r\n";

std::string chunked(const std::string& bytes) {
  return fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
}
std::string event(const std::string& json) {
  return chunked("data: " + json + "\n\n");
}
std::string says(const std::string& text) {
  return event(R"({"id":"x","model":"m-1","choices":[{"index":0,"delta":{"content":")" + text +
               R"("},"finish_reason":null}]})");
}
std::string stops(const std::string& reason) {
  return event(R"({"model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":")" + reason +
               R"("}]})");
}
const std::string usage = event(
    R"({"model":"m-1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})");
const std::string done = event("[DONE]");

/// Keeps the pieces; is full once it has `room` of them, until `emptied`.
class Pieces final : public TextSink {
 public:
  explicit Pieces(Clock& clock) : emptied(clock) {}
  bool on_text(std::string_view piece) override {
    pieces.emplace_back(piece);
    return pieces.size() < room;
  }
  bool on_aside(Aside kind, std::string_view piece) override {
    asides.of(kind) += piece;
    return true;
  }
  Task<> ready() override {
    ++waits;
    while (pieces.size() >= room) co_await emptied.wait();
  }
  std::string text() const {
    std::string all;
    for (const auto& piece : pieces) all += piece;
    return all;
  }
  std::vector<std::string> pieces;
  Asides asides;
  std::size_t room = 1'000'000;
  int waits = 0;
  Signal emptied;
};

/// A model client and a scripted upstream on one real loop.
struct Upstream : ::testing::Test {
  asio::io_context loop{1};
  LoopClock clock{loop};
  ScriptedServer server{clock};
  OpenAiSettings settings{.base_url = server.url(),
                          .api_key = "k-1",
                          .defaults = {},
                          .connect_timeout = 2s,
                          .timeouts = {.first_token = 2s, .idle = 2s, .turn = 5s},
                          .connections_kept = 8};
  SeededRandom random{7};
  std::unique_ptr<OpenAiModel> model;
  Pieces sink{clock};
  Job job;
  std::string prefix;
  std::optional<Answer> answer;
  Nursery tasks{clock};

  void SetUp() override { job.input = R"("hello")"; }

  Task<> ask_one(Pieces& to, std::optional<Answer>& into) {
    if (!model) model = std::make_unique<OpenAiModel>(clock, random, settings);
    auto ended = co_await model->stream(ChatTurn{job, prefix}, to);
    into = std::move(ended);
  }
  Task<> close_server(bool& closed) {
    co_await server.close();
    closed = true;
  }
  Task<> join(bool& joined) {
    co_await tasks.join();
    joined = true;
  }
  /// Runs the loop until this holds, for some seconds at most.
  template <class Condition>
  bool run_until(Condition holds) {
    const Instant end = clock.now() + 10s;
    while (clock.now() < end && !holds()) {
      loop.restart();
      loop.run_one_for(50ms);
    }
    return holds();
  }
  void TearDown() override {
    bool closed = false;
    bool joined = false;
    Nursery closing(clock);
    tasks.stop();
    closing.start(join(joined));
    closing.start(close_server(closed));
    EXPECT_TRUE(run_until([&] { return closed && joined; }));
    run_until([&] { return closing.size() == 0; });
    model.reset();
  }
  /// Asks once and waits for the answer.
  Answer ask() {
    answer.reset();
    tasks.start(ask_one(sink, answer));
    EXPECT_TRUE(run_until([&] { return answer.has_value(); })) << "no answer in time";
    return answer ? *answer : Answer(std::unexpected(ChatFailure{"none", {}, false, {}}));
  }
  Script& script() { return server.scripts.emplace_back(); }
};

TEST_F(Upstream, StreamsTheTextAndSaysHowItEnded) {
  script()
      .send(stream_head + says("Hel"))
      .wait(5ms)
      .send(says("lo") + stops("stop") + usage + done + last_chunk);
  const Answer ended = ask();
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(sink.pieces, (std::vector<std::string>{"Hel", "lo"}));
  EXPECT_EQ(ended->finish_reason, "stop");
  EXPECT_EQ(ended->model, "m-1");
  EXPECT_EQ(ended->usage, R"({"prompt_tokens":3,"completion_tokens":2,"total_tokens":5})");
}

TEST_F(Upstream, AsksForAStreamWithUsageInTheJobsOwnWords) {
  job.input = R"([{"role":"system","content":"be brief"},{"role":"user","content":"h\u00e9"}])";
  job.model = "m-9";
  job.max_tokens = 7;
  job.temperature = 0.25;
  script().send(stream_head + says("x") + stops("stop") + done + last_chunk);
  ASSERT_TRUE(ask());
  const std::string& request = server.requests.at(0);
  EXPECT_TRUE(request.starts_with("POST /v1/chat/completions HTTP/1.1\r\n")) << request;
  EXPECT_NE(request.find("Authorization: Bearer k-1\r\n"), std::string::npos);
  EXPECT_NE(request.find("X-Millrace-Job: " + job.id.str() + "\r\n"), std::string::npos);
  EXPECT_EQ(request.find("Expect:"), std::string::npos);
  EXPECT_TRUE(request.ends_with(
      R"({"model":"m-9","messages":[{"role":"system","content":"be brief"},)"
      R"({"role":"user","content":"h\u00e9"}],"stream":true,)"
      R"("stream_options":{"include_usage":true},"max_tokens":7,"temperature":0.25})"))
      << request;
}

TEST_F(Upstream, HearsOfTheJobsTraceAsASpanOfItsOwn) {
  job.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  script().send(stream_head + says("x") + stops("stop") + done + last_chunk);
  ASSERT_TRUE(ask());
  const std::string& request = server.requests.at(0);
  const auto line = request.find("\r\ntraceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-");
  ASSERT_NE(line, std::string::npos) << request;
  EXPECT_EQ(request.find("00f067aa0ba902b7"), std::string::npos);
}

TEST_F(Upstream, OfAJobWithoutATraceHearsOfNone) {
  script().send(stream_head + says("x") + stops("stop") + done + last_chunk);
  ASSERT_TRUE(ask());
  EXPECT_EQ(server.requests.at(0).find("traceparent"), std::string::npos);
}

std::string calls(const std::string& pieces) {
  return event(R"({"model":"m-1","choices":[{"index":0,"delta":{"tool_calls":[)" + pieces +
               R"(]},"finish_reason":null}]})");
}

TEST_F(Upstream, ToolCallsArePutTogetherFromTheirPieces) {
  script().send(
      stream_head +
      calls(R"({"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}})") +
      calls(R"({"index":0,"function":{"arguments":"{\"a\":"}})") +
      calls(R"({"index":1,"id":"c2","function":{"name":"g","arguments":"{"}})") +
      calls(
          R"({"index":0,"function":{"arguments":"1}"}},{"index":1,"function":{"arguments":"}"}})") +
      stops("tool_calls") + usage + done + last_chunk);
  const Answer ended = ask();
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(ended->finish_reason, "tool_calls");
  EXPECT_EQ(ended->tool_calls,
            (std::vector<ToolCall>{{"c1", "f", R"({"a":1})"}, {"c2", "g", "{}"}}));
  EXPECT_EQ(sink.text(), "");
}

TEST_F(Upstream, ToolCallsWithoutIndexIdOrEndAreUnderstood) {
  script().send(stream_head + calls(R"({"function":{"name":"f","arguments":"{"}})") +
                calls(R"({"function":{"name":"f","arguments":"}"}})") + done + last_chunk);
  const Answer ended = ask();
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(ended->finish_reason, "tool_calls");
  EXPECT_EQ(ended->tool_calls, (std::vector<ToolCall>{{"call_" + job.id.str() + "_0", "f", "{}"}}));
}

std::string delta(const std::string& members) {
  return event(R"({"model":"m-1","choices":[{"index":0,"delta":{)" + members +
               R"(},"finish_reason":null}]})");
}

TEST_F(Upstream, WhatIsSaidBesideTheTextIsKeptApartFromIt) {
  script().send(stream_head + delta(R"("reasoning_content":"let ","reasoning":"let ")") +
                delta(R"("reasoning":"me","reasoning_details":[{}])") + says("x") +
                delta(R"("content":null,"refusal":"no","reasoning":null)") +
                delta(R"("reasoning":{"x":1})") + stops("stop") + done + last_chunk);
  const Answer ended = ask();
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(sink.text(), "x");
  EXPECT_EQ(ended->asides, (Asides{.reasoning = "let me", .refusal = "no"}));
  EXPECT_EQ(sink.asides, ended->asides);
}

TEST_F(Upstream, HalfACharacterBesideTheTextIsGarbage) {
  script().send(stream_head + delta("\"reasoning\":\"\xec\"") + stops("stop") + done + last_chunk);
  const Answer ended = ask();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, "upstream_garbage");
}

TEST_F(Upstream, AToolCallWithoutANameIsGarbage) {
  script().send(stream_head + calls(R"({"index":0,"id":"c1","function":{"arguments":"{}"}})") +
                stops("tool_calls") + done + last_chunk);
  const Answer ended = ask();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, "upstream_garbage");
  EXPECT_TRUE(ended.error().retryable);
}

TEST_F(Upstream, CallsTooManyToolsToBeTrue) {
  std::string body = stream_head;
  for (int i = 0; i <= 128; ++i)
    body += calls(R"({"index":)" + std::to_string(i) + R"(,"id":"c","function":{"name":"f"}})");
  script().send(body + stops("tool_calls") + done + last_chunk);
  const Answer ended = ask();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, "upstream_endless");
}

TEST_F(Upstream, IsAskedOverOneConnectionAgainAndAgain) {
  for (int i = 0; i < 5; ++i) {
    Script& next = script();
    next.send(stream_head + says("x") + stops("stop") + done + last_chunk);
    next.keep_alive = true;
  }
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(ask());
  EXPECT_EQ(server.connections, 1);
}

TEST_F(Upstream, IsReadOnlyWhileTheSinkHasRoom) {
  sink.room = 2;
  script()
      .send(stream_head + says("a") + says("b"))
      .wait(20ms)
      .send(says("c") + stops("stop") + done + last_chunk);
  tasks.start(ask_one(sink, answer));
  EXPECT_TRUE(run_until([&] { return sink.waits == 1; }));
  clock.loop().restart();
  loop.run_for(60ms);
  EXPECT_EQ(sink.text(), "ab");
  EXPECT_FALSE(answer);
  sink.room = 100;
  sink.emptied.notify();
  EXPECT_TRUE(run_until([&] { return answer.has_value(); }));
  EXPECT_TRUE(*answer);
  EXPECT_EQ(sink.text(), "abc");
}

TEST_F(Upstream, APauseOfTheSinkIsNotTheUpstreamsSilence) {
  settings.timeouts.idle = 100ms;
  sink.room = 1;
  script()
      .send(stream_head + says("a"))
      .wait(20ms)
      .send(says("b") + stops("stop") + done + last_chunk);
  tasks.start(ask_one(sink, answer));
  EXPECT_TRUE(run_until([&] { return sink.waits == 1; }));
  loop.restart();
  loop.run_for(300ms);
  EXPECT_FALSE(answer);
  sink.room = 100;
  sink.emptied.notify();
  EXPECT_TRUE(run_until([&] { return answer.has_value(); }));
  EXPECT_TRUE(*answer);
}

TEST_F(Upstream, ACancelClosesTheSocketAtOnce) {
  script().send(stream_head + says("a")).hang();
  tasks.start(ask_one(sink, answer));
  EXPECT_TRUE(run_until([&] { return sink.pieces.size() == 1; }));
  const Instant cancelled = clock.now();
  tasks.stop();
  EXPECT_TRUE(run_until([&] { return server.closed_by_client == 1; }));
  EXPECT_LT(server.last_close - cancelled, 100ms);
  EXPECT_FALSE(answer);
}

TEST_F(Upstream, LengthIsAGoodEnd) {
  script().send(stream_head + says("a") + stops("length") + done + last_chunk);
  const Answer ended = ask();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->finish_reason, "length");
}

TEST_F(Upstream, DoneWithoutAFinishReasonIsAnEnd) {
  script().send(stream_head + says("a") + done + last_chunk);
  const Answer ended = ask();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->finish_reason, "stop");
}

TEST_F(Upstream, AFinishReasonStandsEvenIfTheConnectionBreaksThen) {
  script().send(stream_head + says("a") + stops("stop")).wait(5ms).reset();
  const Answer ended = ask();
  ASSERT_TRUE(ended) << ended.error().message;
}

TEST_F(Upstream, AServerThatNeverEndsItsResponseCostsNoTimeAfterDone) {
  script().send(stream_head + says("a") + done).hang();
  const Instant before = clock.now();
  ASSERT_TRUE(ask());
  EXPECT_LT(clock.now() - before, 1s);
}

void expect_failure(const Answer& answer, const std::string& code, bool retryable) {
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, code) << answer.error().message;
  EXPECT_EQ(answer.error().retryable, retryable) << answer.error().message;
  EXPECT_FALSE(answer.error().message.empty());
}

TEST_F(Upstream, ACutStreamIsNoAnswer) {
  script().send(stream_head + says("a")).wait(5ms);
  expect_failure(ask(), "upstream_cut", true);
}

TEST_F(Upstream, AResetIsNoAnswer) {
  script().send(stream_head + says("a")).wait(5ms).reset();
  expect_failure(ask(), "upstream_cut", true);
}

TEST_F(Upstream, AStreamThatEndsInOrderButSaysNoEndIsNoAnswer) {
  script().send(stream_head + says("a") + last_chunk);
  expect_failure(ask(), "upstream_cut", true);
}

TEST_F(Upstream, ACloseBeforeAnyByteIsRetried) {
  script().wait(1ms);
  script().wait(1ms);  // libcurl asks a connection that died at once a second time
  expect_failure(ask(), "upstream_cut", true);
}

TEST_F(Upstream, NobodyListeningIsRetried) {
  asio::basic_socket_acceptor<asio::ip::tcp, Executor> port(
      loop.get_executor(), asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  settings.base_url = "http://127.0.0.1:" + std::to_string(port.local_endpoint().port());
  port.close();
  expect_failure(ask(), "upstream_unavailable", true);
}

TEST_F(Upstream, AStreamThatStandsStillIsGivenUp) {
  settings.timeouts.idle = 50ms;
  script().send(stream_head + says("a")).hang();
  expect_failure(ask(), "upstream_timeout", true);
}

TEST_F(Upstream, AFirstTokenThatDoesNotComeIsGivenUp) {
  settings.timeouts.first_token = 50ms;
  script().send(stream_head + chunked(": alive\n\n")).hang();
  const Answer ended = ask();
  expect_failure(ended, "upstream_timeout", true);
  EXPECT_EQ(ended.error().message, "no token within 0.05 s");
}

TEST_F(Upstream, ATurnThatNeverEndsIsGivenUpForGood) {
  settings.timeouts.turn = 100ms;
  Script& endless = script();
  endless.send(stream_head);
  for (int i = 0; i < 40; ++i) endless.send(says("a")).wait(5ms);
  expect_failure(ask(), "upstream_endless", false);
}

TEST_F(Upstream, MoreTextThanAnyAnswerHasIsGivenUpForGood) {
  Script& endless = script();
  endless.send(stream_head);
  const std::string much = says(std::string(512 * 1024, 'a'));
  for (int i = 0; i < 20; ++i) endless.send(much);
  expect_failure(ask(), "upstream_endless", false);
}

TEST_F(Upstream, AnEndlessLineIsGarbage) {
  Script& endless = script();
  endless.send(stream_head);
  for (int i = 0; i < 20; ++i) endless.send(chunked(std::string(100 * 1024, 'x')));
  expect_failure(ask(), "upstream_garbage", true);
}

TEST_F(Upstream, GarbageInsteadOfJsonIsGarbage) {
  script().send(stream_head + says("a") + event("{nonsense") + stops("stop") + done + last_chunk);
  expect_failure(ask(), "upstream_garbage", true);
}

TEST_F(Upstream, GarbageInsteadOfHttpIsGarbage) {
  script().send("\x01\x02 this is no HTTP\r\n\r\n");
  script().send("\x01\x02 this is no HTTP\r\n\r\n");
  expect_failure(ask(), "upstream_garbage", true);
}

TEST_F(Upstream, ACharacterCutInTwoIsJoined) {
  script().send(stream_head + says("a\xe2\x82") + says("\xac!") + stops("stop") + done +
                last_chunk);
  const Answer ended = ask();
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(sink.pieces, (std::vector<std::string>{"a", "\xe2\x82\xac!"}));
}

TEST_F(Upstream, HalfACharacterAtTheEndIsGarbage) {
  script().send(stream_head + says("a\xe2\x82") + stops("stop") + done + last_chunk);
  const Answer ended = ask();
  expect_failure(ended, "upstream_garbage", true);
  EXPECT_EQ(sink.text(), "a");
}

TEST_F(Upstream, BytesThatAreNoTextAreGarbage) {
  script().send(stream_head + says("a\xff") + says("b") + stops("stop") + done + last_chunk);
  expect_failure(ask(), "upstream_garbage", true);
}

TEST_F(Upstream, AnErrorInsideTheStreamIsToldInItsOwnWords) {
  script().send(stream_head + says("a") +
                event(R"({"error":{"message":"out of memory","code":500}})") + last_chunk);
  const Answer ended = ask();
  expect_failure(ended, "upstream_error", true);
  EXPECT_NE(ended.error().message.find("out of memory"), std::string::npos);
}

TEST_F(Upstream, APermanentErrorInsideTheStreamIsNotRetried) {
  script().send(stream_head + event(R"({"error":{"message":"bad","code":400}})") + last_chunk);
  expect_failure(ask(), "upstream_error", false);
}

TEST_F(Upstream, AnAnswerWithoutAStreamIsGarbageAndQuoted) {
  const std::string body = R"({"choices":[{"message":{"content":"hi"}}]})";
  script().send(fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      body.size(), body));
  expect_failure(ask(), "upstream_garbage", true);
}

struct StatusCase {
  int status;
  std::string code;
  bool retryable;
};

TEST_F(Upstream, SaysByTheStatusWhetherTryingAgainMayHelp) {
  const std::vector<StatusCase> cases{
      {429, "upstream_busy", true},        {500, "upstream_unavailable", true},
      {503, "upstream_unavailable", true}, {408, "upstream_unavailable", true},
      {400, "upstream_refused", false},    {401, "upstream_denied", false},
      {404, "upstream_not_found", false},  {422, "upstream_refused", false},
      {302, "upstream_refused", false}};
  for (const auto& each : cases) {
    const std::string body = R"({"error":{"message":"because\nof \u001b[31mthis"}})";
    Script& next = script();
    next.send(fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n\r\n{}", each.status, body.size(),
                          body));
    next.keep_alive = true;
    const Answer ended = ask();
    expect_failure(ended, each.code, each.retryable);
    EXPECT_EQ(ended.error().message,
              fmt::format("the model's server answered {}: because of  [31mthis", each.status));
  }
}

TEST_F(Upstream, ItsWishWhenToComeBackIsKept) {
  script().send("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
  const Answer ended = ask();
  expect_failure(ended, "upstream_busy", true);
  EXPECT_EQ(ended.error().retry_after, Duration(7s));
}

TEST_F(Upstream, ItsWishMayBeADate) {
  const std::time_t soon = std::chrono::system_clock::to_time_t(clock.wall() + 30s);
  std::array<char, 64> date;
  std::tm utc{};
  gmtime_r(&soon, &utc);
  std::strftime(date.data(), date.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  script().send(fmt::format("HTTP/1.1 503 Busy\r\nRetry-After: {}\r\nContent-Length: 0\r\n\r\n",
                            date.data()));
  const Answer ended = ask();
  ASSERT_FALSE(ended);
  ASSERT_TRUE(ended.error().retry_after);
  EXPECT_GE(*ended.error().retry_after, Duration(28s));
  EXPECT_LE(*ended.error().retry_after, Duration(31s));
}

TEST_F(Upstream, ALongErrorIsCut) {
  const std::string body(100'000, 'e');
  script().send(fmt::format("HTTP/1.1 400 Bad\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
  const Answer ended = ask();
  ASSERT_FALSE(ended);
  EXPECT_LT(ended.error().message.size(), 600u);
}

TEST_F(Upstream, EveryCutOfTheBytesGivesTheSamePieces) {
  const std::string body =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
      "\xEF\xBB\xBF: hello\r\n\r\ndata: "
      "{\"choices\":[{\"delta\":{\"content\":\"a\xc3\xa9\"}}]}\r\n\r\n"
      "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\r\n\r\ndata: [DONE]\r\n\r\n";
  for (std::size_t cut = 1; cut < body.size(); cut += 3) {
    sink.pieces.clear();
    script().send(body.substr(0, cut)).wait(1ms).send(body.substr(cut));
    const Answer ended = ask();
    ASSERT_TRUE(ended) << cut << ended.error().message;
    EXPECT_EQ(sink.pieces, (std::vector<std::string>{"a\xc3\xa9"})) << cut;
  }
}

}  // namespace
}  // namespace millrace
