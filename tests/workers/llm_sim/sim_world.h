#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "shared/runtime/nursery.h"
#include "shared/runtime/virtual_clock.h"
#include "workers/llm/simulator.h"

namespace millrace {

/// A client of a streamed response: keeps what it is sent and when, and can leave.
class FakeReader final : public http::StreamWriter {
 public:
  explicit FakeReader(Clock& clock) : clock_(clock), wake_(clock) {}

  Task<Result<>> write(std::string_view bytes) override {
    if (closed_) co_return Failure(Errc::closed);
    text += bytes;
    writes.emplace_back(clock_.now() - Instant{}, bytes);
    co_return Result<>();
  }
  bool closed() const override { return closed_; }
  Signal& wake() override { return wake_; }
  bool draining() const override { return draining_; }

  void leave() {
    closed_ = true;
    wake_.notify();
  }
  void drain() {
    draining_ = true;
    wake_.notify();
  }

  std::string text;
  std::vector<std::pair<Duration, std::string>> writes;
  bool ended = false;
  bool cut = false;

 private:
  Clock& clock_;
  Signal wake_;
  bool closed_ = false;
  bool draining_ = false;
};

/// A response and the reader it streams to.
struct SimExchange {
  explicit SimExchange(Clock& clock) : reader(clock) {}
  http::Response response;
  FakeReader reader;
};

/// The simulator behind its routes on virtual time.
class SimTest : public testing::Test {
 public:
  ~SimTest() override {
    connections_.stop();
    clock.run_for(0s);
  }

 protected:
  /// Sends a request; its response is there, and its stream begun, at the present instant.
  SimExchange& send(http::Method method, const std::string& path, std::string body,
                    const std::string& job = "") {
    auto& exchange = *exchanges_.emplace_back(std::make_unique<SimExchange>(clock));
    auto request = std::make_unique<http::Request>();
    request->method = method;
    request->path = path;
    request->body = std::move(body);
    if (!job.empty()) request->headers.emplace_back("x-millrace-job", job);
    const auto match = router_.find(method, path);
    EXPECT_TRUE(match.handler) << path;
    connections_.start(serve(*match.handler, std::move(request), exchange));
    clock.run_for(0s);
    return exchange;
  }

  /// `more`: further members of the body, each with a comma before it.
  SimExchange& chat(const std::string& model, const std::string& more = R"(,"stream":true)",
                    const std::string& job = "", const std::string& assistant = "",
                    const std::string& question = "tell me") {
    std::string messages = R"([{"role":"user","content":")" + question + R"("})";
    if (!assistant.empty()) messages += R"(,{"role":"assistant","content":")" + assistant + R"("})";
    return send(http::Method::post, "/v1/chat/completions",
                R"({"model":")" + model + R"(","messages":)" + messages + "]" + more + "}", job);
  }
  std::string stats() { return send(http::Method::get, "/sim/stats", "").response.body; }
  bool counts(const std::string& member) { return stats().find(member) != std::string::npos; }

  asio::io_context loop{1};
  VirtualClock clock{loop};

 private:
  static Task<> serve(const http::Handler& handler, std::unique_ptr<http::Request> request,
                      SimExchange& exchange) {
    exchange.response = co_await handler(*request);
    request.reset();  // gone before the stream runs, as on a connection
    if (!exchange.response.stream) co_return;
    try {
      co_await exchange.response.stream(exchange.reader);
      exchange.reader.ended = true;
    } catch (const http::StreamCut&) {
      exchange.reader.cut = true;
    }
  }

  Simulator simulator_{clock};
  http::Router router_ = [this] {
    http::Router router;
    simulator_.add_to(router);
    return router;
  }();
  std::vector<std::unique_ptr<SimExchange>> exchanges_;
  Nursery connections_{clock};
};

/// The texts of the chunks' deltas, in order, without the empty ones.
inline std::vector<std::string> tokens_in(const std::string& stream) {
  constexpr std::string_view mark = R"("delta":{"content":")";
  std::vector<std::string> tokens;
  for (auto at = stream.find(mark); at != std::string::npos; at = stream.find(mark, at)) {
    at += mark.size();
    tokens.push_back(stream.substr(at, stream.find('"', at) - at));
  }
  return tokens;
}

inline std::string joined(const std::vector<std::string>& tokens, std::size_t from = 0,
                          std::size_t to = SIZE_MAX) {
  std::string text;
  for (auto i = from; i < std::min(to, tokens.size()); ++i) text += tokens[i];
  return text;
}

}  // namespace millrace
