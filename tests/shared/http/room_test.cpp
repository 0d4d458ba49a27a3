#include <sys/resource.h>

#include <future>

#include "tests/shared/http/live_server.h"

/// What a server does when it, the process or the machine is full, and what it counts.
namespace millrace::http {
namespace {

using test::get;
using test::LiveServer;
using test::Peer;
using test::post;

Task<Response> echo(Request& request) {
  Response response;
  response.content_type = "text/plain";
  response.body = request.body;
  co_return response;
}

Router routes() {
  Router router;
  router.add(Method::post, "/echo", echo);
  router.add(Method::get, "/seen", echo);
  return router;
}

/// Returns when the server's loop has turned: what it could do until now, it has done.
void let_it_turn(LiveServer& server) {
  std::atomic<int> turns{0};
  for (int i = 0; i < 3; ++i) {
    server.post([&] { ++turns; });
    EXPECT_TRUE(test::soon([&] { return turns == i + 1; }));
  }
}

/// The process may have this many descriptors while it lives.
class Descriptors {
 public:
  explicit Descriptors(rlim_t wanted) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit now{.rlim_cur = wanted, .rlim_max = before_.rlim_max};
    granted_ = ::setrlimit(RLIMIT_NOFILE, &now) == 0;
  }
  ~Descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  bool granted() const { return granted_; }

 private:
  rlimit before_{};
  bool granted_ = false;
};

TEST(ServerRoomTest, AThousandConnectionsAreServedAndStay) {
  const Descriptors room(4096);
  if (!room.granted()) GTEST_SKIP() << "needs 4096 descriptors: raise the hard limit (ulimit -Hn)";
  const Router router = routes();
  LiveServer server(router);
  std::vector<Peer> peers;
  for (int i = 0; i < 1000; ++i) peers.emplace_back(server.port());
  for (int round = 0; round < 2; ++round) {
    for (auto& peer : peers) peer.send(post("/echo", "ab"));
    for (auto& peer : peers) ASSERT_EQ(peer.read().body, "ab");
  }
  EXPECT_EQ(server.counts().connections, 1000);
  peers.clear();
  EXPECT_TRUE(test::soon([&] { return server.counts().connections == 0; }));
}

TEST(ServerRoomTest, WithoutDescriptorsItWaitsAndThenTakesThoseWhoWaited) {
  const Router router = routes();
  LiveServer server(router);
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const timeval patience{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  {
    const Descriptors none(static_cast<rlim_t>(socket) + 1);
    ASSERT_TRUE(none.granted());
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(server.port());
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(socket, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
    const auto request = get("/seen");
    ASSERT_GT(::send(socket, request.data(), request.size(), MSG_NOSIGNAL), 0);
    let_it_turn(server);
    EXPECT_EQ(server.counts().connections, 0);
  }
  char answer[16] = {};
  EXPECT_GT(::recv(socket, answer, 15, MSG_WAITALL), 0);
  EXPECT_EQ(std::string_view(answer), "HTTP/1.1 200 OK");
  ::close(socket);
}

TEST(ServerRoomTest, BodiesThatAreTooManyTogetherAre503AndLeaveTheOthersAlone) {
  const Router router = routes();
  ServerOptions options;
  options.held_body_bytes_max = 100'000;
  LiveServer server(router, options);
  const std::string body(80'000, 'b');
  Peer first(server.port());
  const auto request = post("/echo", body);
  first.send(std::string_view(request).substr(0, request.size() - 1));
  ASSERT_TRUE(test::soon([&] { return server.counts().bytes_in >= request.size() - 1; }));
  Peer second(server.port());
  const auto refused = second.ask(request);
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.field("retry-after"), "1");
  EXPECT_TRUE(second.ended());
  EXPECT_EQ(first.ask("b").body, body);
  EXPECT_EQ(Peer(server.port()).ask(request).body, body);
}

TEST(ServerRoomTest, WhoWaitsToBeTakenWhenADrainBeginsIsServed) {
  const Router router = routes();
  LiveServer server(router);
  std::promise<void> held;
  std::promise<void> go_on;
  server.post([&] {
    held.set_value();
    go_on.get_future().wait();
  });
  held.get_future().wait();
  Peer peer(server.port());  // the kernel has it, the loop has not
  peer.send(get("/seen"));
  server.drain(10s);
  go_on.set_value();
  const auto got = peer.read();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.field("connection"), "close");
  peer.close();
  server.wait_end();
}

TEST(ServerRoomTest, ARequestThatHasArrivedWhenADrainBeginsIsAnswered) {
  const Router router = routes();
  LiveServer server(router);
  Peer peer(server.port());
  EXPECT_EQ(peer.ask(get("/seen")).status, 200);
  std::promise<void> held;
  std::promise<void> go_on;
  server.post([&] {
    held.set_value();
    go_on.get_future().wait();
  });
  held.get_future().wait();
  server.drain(10s);
  peer.send(get("/seen"));
  go_on.set_value();
  EXPECT_EQ(peer.read().status, 200);
  peer.close();
  server.wait_end();
}

TEST(ServerRoomTest, ARefusalWithASmallBodyKeepsTheConnection) {
  const Router router = routes();
  LiveServer server(router);
  Peer peer(server.port());
  EXPECT_EQ(peer.ask(post("/unknown", std::string(10'000, 'x'))).status, 404);
  EXPECT_EQ(peer.ask(post("/seen", "x")).status, 405);
  EXPECT_EQ(peer.ask(get("/seen")).status, 200);
}

TEST(ServerRoomTest, ARefusalDoesNotAskForTheBody) {
  const Router router = routes();
  LiveServer server(router);
  Peer peer(server.port());
  const auto got = peer.ask(
      "POST /unknown HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(got.status, 404);
  EXPECT_TRUE(peer.informed.empty());
  EXPECT_TRUE(peer.ended());
}

TEST(ServerRoomTest, AnotherShapeOfErrorsIsTheCallersChoice) {
  const Router router = routes();
  ServerOptions options;
  options.tell_problem = [](const Problem& problem, std::string_view path) {
    Response response;
    response.status = problem.status;
    response.body = problem.code + " " + std::string(path);
    return response;
  };
  LiveServer server(router, options);
  Peer peer(server.port());
  EXPECT_EQ(peer.ask(get("/a%20b?c")).body, "not_found /a%20b");
  const auto wrong = peer.ask(post("/seen", ""));
  EXPECT_EQ(wrong.body, "method_not_allowed /seen");
  EXPECT_EQ(wrong.field("allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(peer.ask("nonsense\r\n\r\n").body, "bad_request ");
}

TEST(ServerRoomTest, WhatGoesThroughIsCounted) {
  const Router router = routes();
  LiveServer server(router);
  Peer peer(server.port());
  const auto request = post("/echo", "abc");
  const auto got = peer.ask(request);
  EXPECT_EQ(server.counts().bytes_in, request.size());
  const auto answer_bytes = got.head.size() + got.body.size();  // counted once they are sent
  EXPECT_TRUE(test::soon([&] { return server.counts().bytes_out == answer_bytes; }));
  const auto unknown = peer.ask(get("/unknown"));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_NE(unknown.body.find("Served here: /"), std::string::npos) << unknown.body;
  EXPECT_EQ(server.counts().answered[2], 1u);
  EXPECT_EQ(server.counts().answered[4], 1u);
  EXPECT_EQ(server.counts().connections, 1);
}

}  // namespace
}  // namespace millrace::http
