#include "shared/curl/blocking_http.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <thread>

#include "tests/shared/curl/scripted_server.h"

namespace millrace {
namespace {

/// A script that is built in one expression.
struct Play : Script {
  Play&& then(std::string bytes) && {
    send(std::move(bytes));
    return std::move(*this);
  }
  Play&& then_hang() && {
    hang();
    return std::move(*this);
  }
};

/// The server lives on a thread of its own; the client blocks the test's.
struct Blocking : ::testing::Test {
  asio::io_context loop{1};
  LoopClock clock{loop};
  std::unique_ptr<ScriptedServer> server = std::make_unique<ScriptedServer>(clock);
  std::string url = server->url();
  std::thread thread;
  BlockingHttp http;

  void serve(Script script) {
    server->scripts.push_back(std::move(script));
    thread = std::thread([this] { loop.run(); });
  }
  Task<> close_server() {
    co_await server->close();
    loop.stop();
  }
  void TearDown() override {
    Nursery closing(clock);
    asio::post(loop, [&] { closing.start(close_server()); });
    if (thread.joinable()) thread.join();
    loop.restart();
    loop.poll();
    server.reset();
  }
};

TEST_F(Blocking, AnAnswerComesWithItsStatusTypeBodyAndRetryAfter) {
  serve(
      Play().then("HTTP/1.1 503 Busy\r\nContent-Type: text/plain\r\n"
                  "Retry-After: 7\r\nContent-Length: 5\r\n\r\nlater"));
  const auto answer = http.ask({.method = "POST", .url = url + "/x", .body = "ping"});
  EXPECT_EQ(answer.how, HttpHow::complete);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.content_type, "text/plain");
  EXPECT_EQ(answer.body, "later");
  EXPECT_EQ(answer.retry_after, Duration(7s));
}

TEST_F(Blocking, ACutBodyIsToldAsCutAndWhatCameBeforeWasTaken) {
  serve(Play().then("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"));
  std::string taken;
  const auto answer = http.ask({.url = url}, [&](int, std::string_view bytes) {
    taken += bytes;
    return Flow::more;
  });
  EXPECT_EQ(answer.how, HttpHow::cut);
  EXPECT_EQ(taken, "half");
}

TEST_F(Blocking, ATakerThatHasEnoughEndsIt) {
  serve(Play().then("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf").then_hang());
  const auto answer = http.ask({.url = url}, [](int, std::string_view) { return Flow::stop; });
  EXPECT_EQ(answer.how, HttpHow::stopped);
}

TEST_F(Blocking, SilenceAfterTheRequestIsACutNotAnUnreachableServer) {
  serve(Play().then_hang());
  const auto answer = http.ask({.url = url, .timeout = 100ms});
  EXPECT_EQ(answer.how, HttpHow::cut);
  EXPECT_EQ(answer.status, 0);
}

TEST(BlockingAlone, NobodyThereIsUnreachable) {
  BlockingHttp http;
  EXPECT_EQ(http.ask({.url = "http://127.0.0.1:1/"}).how, HttpHow::unreachable);
}

}  // namespace
}  // namespace millrace
