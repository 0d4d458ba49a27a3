#include "shared/http/gate.h"

#include "tests/shared/http/live_server.h"

namespace millrace::http {
namespace {

using test::Answer;
using test::LiveServer;
using test::Peer;

Task<Response> whose(Request& request) {
  Response response;
  response.body = request.tenant + "|" + request.body;
  co_return response;
}

Task<> say_hello(StreamWriter& out) {
  (void)co_await out.write("hello");
}

Task<Response> streamed(Request&) {
  Response response;
  response.stream = say_hello;
  co_return response;
}

/// Lets in who names a tenant, and counts.
class Doorman final : public Gate {
 public:
  Task<Passage> enter(Request& request, std::string_view pattern) override {
    ++asked;
    last_pattern = pattern;
    last_body = request.body.size();
    Passage passage;
    passage.headers.emplace_back("X-Door", "seen");
    request.tenant = request.header("x-tenant");
    if (request.tenant == "broken") throw std::runtime_error("broken on purpose");
    if (request.tenant.empty()) {
      passage.refused.emplace();
      passage.refused->status = 401;
      passage.refused->body = "who?";
    }
    co_return passage;
  }

  int asked = 0;
  std::string last_pattern;
  std::size_t last_body = 0;
};

struct GatedServer : testing::Test {
  GatedServer() {
    router.add(Method::post, "/whose/{id}", whose, {.body_bytes_max = 100'000});
    router.add(Method::get, "/stream", streamed);
    ServerOptions options;
    options.gate = &gate;
    server.emplace(router, options);
  }
  Answer ask(const std::string& bytes) {
    Peer peer(server->port());
    peer.send(bytes);
    return peer.read();
  }

  Doorman gate;
  Router router;
  std::optional<LiveServer> server;
};

TEST_F(GatedServer, WhoPassesIsServedAsTheTenantTheGateSays) {
  const auto answer =
      ask("POST /whose/7 HTTP/1.1\r\nHost: a\r\nX-Tenant: acme\r\n"
          "Content-Length: 2\r\n\r\nhi");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "acme|hi");
  EXPECT_EQ(answer.field("x-door"), "seen") << "its headers go with every answer";
  EXPECT_EQ(gate.last_pattern, "/whose/{id}");
  EXPECT_EQ(gate.last_body, 0) << "the gate is asked before the body is read";
  EXPECT_EQ(ask("GET /stream HTTP/1.1\r\nHost: a\r\nX-Tenant: b\r\n\r\n").field("x-door"), "seen");
}

TEST_F(GatedServer, WhoIsRefusedIsAnsweredByTheGateAndTheConnectionLivesOn) {
  Peer peer(server->port());
  for (int i = 0; i < 2; ++i) {
    peer.send("POST /whose/7 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    const auto answer = peer.read();
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.body, "who?");
  }
  EXPECT_EQ(gate.asked, 2);
}

TEST_F(GatedServer, TheBodyOfWhoIsRefusedIsNotAskedFor) {
  const auto answer =
      ask("POST /whose/7 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
          "Content-Length: 90000\r\n\r\n");
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.field("connection"), "close");
}

TEST_F(GatedServer, ABodyTooLargeForWhoIsRefusedChangesNothing) {
  std::string chunks;
  for (int i = 0; i < 20; ++i) chunks += "2000\r\n" + std::string(0x2000, 'x') + "\r\n";
  const auto answer =
      ask("POST /whose/7 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks +
          "0\r\n\r\n");
  EXPECT_EQ(answer.status, 401);
}

TEST_F(GatedServer, WhatNoRouteServesIsNotTheGatesToJudge) {
  EXPECT_EQ(ask("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n").status, 404);
  EXPECT_EQ(ask("DELETE /stream HTTP/1.1\r\nHost: a\r\n\r\n").status, 405);
  EXPECT_EQ(ask("OPTIONS /stream HTTP/1.1\r\nHost: a\r\n\r\n").status, 204);
  EXPECT_EQ(gate.asked, 0);
}

TEST_F(GatedServer, AGateThatBreaksLetsNobodyIn) {
  const auto answer =
      ask("POST /whose/7 HTTP/1.1\r\nHost: a\r\nX-Tenant: broken\r\nContent-Length: 0\r\n\r\n");
  EXPECT_NE(answer.status, 200);
  EXPECT_EQ(ask("POST /whose/7 HTTP/1.1\r\nHost: a\r\nX-Tenant: a\r\n\r\n").status, 200);
}

}  // namespace
}  // namespace millrace::http
