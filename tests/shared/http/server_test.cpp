#include "shared/http/server.h"

#include <set>

#include "tests/shared/http/live_server.h"

namespace millrace::http {
namespace {

using test::Answer;
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

/// What of the request reached the handler.
Task<Response> seen(Request& request) {
  Response response;
  response.content_type = "text/plain";
  response.body = request.path + "|" + request.query + "|" + request.peer + "|" +
                  request.request_id + "|" + std::string(request.header("x-odd"));
  for (const auto& param : request.params) response.body += "|" + param;
  co_return response;
}

Task<Response> fail(Request&) {
  throw std::runtime_error("broken on purpose");
  co_return Response{};
}

Task<Response> nothing(Request&) {
  Response response;
  response.status = 204;
  co_return response;
}

Task<Response> evil(Request& request) {
  Response response;
  response.content_type = "text/plain\r\nX-Injected: 1";
  response.headers.emplace_back("X-A", request.query_param("v").value_or(""));
  response.headers.emplace_back("X-B\r\nX-Injected", "1");
  response.headers.emplace_back("X-C", "good");
  co_return response;
}

Router routes() {
  Router router;
  router.add(Method::post, "/echo", echo, {.body_bytes_max = 1000});
  router.add(Method::post, "/big", echo);
  router.add(Method::get, "/seen", seen);
  router.add(Method::get, "/seen/{a}/{b}", seen);
  router.add(Method::get, "/fail", fail);
  router.add(Method::get, "/nothing", nothing);
  router.add(Method::get, "/evil", evil);
  return router;
}

class ServerTest : public testing::Test {
 protected:
  static ServerOptions options() {
    ServerOptions made;
    made.cors_origins = "https://a.example, https://b.example";
    return made;
  }
  Peer peer() const { return Peer(server_.port()); }
  Answer answer(const std::string& request, bool to_head = false) const {
    return peer().ask(request, to_head);
  }

  const Router router_ = routes();
  LiveServer server_{router_, options()};
};

TEST_F(ServerTest, AHandlerSeesTheRequestDecoded) {
  const auto got =
      answer(get("/seen/a%2Fb/%ED%95%9C?x=%20", "X-Odd: \t v \r\nX-Request-Id: me-1\r\n"));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "/seen/a/b/한|x=%20|127.0.0.1|me-1|v|a/b|한");
  EXPECT_EQ(got.field("content-type"), "text/plain");
  EXPECT_TRUE(got.field("date").ends_with(" GMT")) << got.head;
}

TEST_F(ServerTest, EveryAnswerHasARequestIdAndKeepsASaneOne) {
  EXPECT_EQ(answer(get("/seen", "x-request-id: Abc-1_2.3\r\n")).field("x-request-id"), "Abc-1_2.3");
  std::set<std::string> made;
  for (const char* id : {"", "a b", "a\"b", "<script>", "\xc3\xa4", "a/b"}) {
    const auto own = answer(get("/nowhere", "x-request-id: " + std::string(id) + "\r\n"));
    EXPECT_EQ(own.status, 404);
    EXPECT_NE(own.field("x-request-id"), id);
    EXPECT_GE(own.field("x-request-id").size(), 12u);
    made.insert(own.field("x-request-id"));
  }
  EXPECT_EQ(made.size(), 6u);
  const std::string long_one(129, 'a');
  EXPECT_NE(answer(get("/seen", "x-request-id: " + long_one + "\r\n")).field("x-request-id"),
            long_one);
  EXPECT_FALSE(answer("nonsense\r\n\r\n").field("x-request-id").empty());
  EXPECT_FALSE(answer(get("/fail")).field("x-request-id").empty());
}

TEST_F(ServerTest, HeadIsGetWithoutABody) {
  auto asks = peer();
  const auto got = asks.ask("HEAD /seen HTTP/1.1\r\nHost: h\r\nX-Request-Id: i\r\n\r\n", true);
  EXPECT_EQ(got.status, 200);
  const auto full = asks.ask(get("/seen", "X-Request-Id: i\r\n"));  // nothing stands in between
  EXPECT_EQ(full.status, 200);
  EXPECT_EQ(got.field("content-length"), std::to_string(full.body.size()));
  EXPECT_EQ(asks.ask("HEAD /nowhere HTTP/1.1\r\nHost: h\r\n\r\n", true).status, 404);
  EXPECT_EQ(asks.ask(get("/seen")).status, 200);
}

TEST_F(ServerTest, AnUnknownPathIs404AndAWrongMethod405WithAllow) {
  auto asks = peer();
  const auto unknown = asks.ask(get("/nowhere"));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(unknown.field("content-type"), "application/problem+json");
  EXPECT_EQ(unknown.field("allow"), "");
  const auto wrong = asks.ask("DELETE /seen HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_NE(wrong.field("allow").find("GET"), std::string::npos);
  EXPECT_NE(wrong.field("allow").find("HEAD"), std::string::npos);
  const auto odd = asks.ask("BREW /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(odd.status, 405);
  EXPECT_NE(odd.field("allow").find("POST"), std::string::npos);
  EXPECT_EQ(asks.ask(get("/seen")).status, 200) << "none of these ends the connection";
}

TEST_F(ServerTest, APathThatDoesNotDecodeIsRefused) {
  for (const char* path : {"/seen/%/b", "/seen/%ff/b", "/seen/%00/b", "/%", "/seen?a=%"}) {
    const auto got = answer(get(path));
    EXPECT_TRUE(got.status == 400 || got.status == 404) << path << got.status;
  }
  EXPECT_EQ(answer(get("/seen?a=%")).status, 400);
}

TEST_F(ServerTest, OptionsTellsWhatIsAllowed) {
  const auto got = answer("OPTIONS /echo HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(got.status, 204);
  EXPECT_NE(got.field("allow").find("POST"), std::string::npos);
  EXPECT_EQ(got.field("access-control-allow-origin"), "");
  EXPECT_EQ(answer("OPTIONS /nowhere HTTP/1.1\r\nHost: h\r\n\r\n").status, 404);
  EXPECT_EQ(answer("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n").status, 204);
}

TEST_F(ServerTest, AListedOriginMayReadAndAskAndAnotherMayNot) {
  const auto preflight = [&](const std::string& origin) {
    return answer("OPTIONS /echo HTTP/1.1\r\nHost: h\r\nOrigin: " + origin +
                  "\r\nAccess-Control-Request-Method: POST\r\n"
                  "Access-Control-Request-Headers: content-type, idempotency-key\r\n\r\n");
  };
  const auto listed = preflight("https://b.example");
  EXPECT_EQ(listed.status, 204);
  EXPECT_EQ(listed.field("access-control-allow-origin"), "https://b.example");
  for (const char* field : {"X-Millrace-Job", "Location", "Retry-After", "RateLimit-Reset",
                            "Idempotent-Replayed", "Preference-Applied", "x-request-id", "Allow"})
    EXPECT_NE(listed.field("access-control-expose-headers").find(field), std::string::npos)
        << field;
  EXPECT_NE(listed.field("access-control-allow-methods").find("POST"), std::string::npos);
  EXPECT_NE(listed.field("access-control-allow-headers").find("idempotency-key"),
            std::string::npos);
  EXPECT_EQ(listed.field("vary"), "Origin");
  EXPECT_EQ(preflight("https://c.example").field("access-control-allow-origin"), "");
  const auto got = answer(get("/seen", "Origin: https://a.example\r\n"));
  EXPECT_EQ(got.field("access-control-allow-origin"), "https://a.example");
  EXPECT_NE(got.field("access-control-expose-headers").find("x-request-id"), std::string::npos);
  EXPECT_EQ(
      answer(get("/fail", "Origin: https://a.example\r\n")).field("access-control-allow-origin"),
      "https://a.example")
      << "a page must be able to read why it failed";
  EXPECT_EQ(answer(get("/seen", "Origin: https://a.example.evil\r\n"))
                .field("access-control-allow-origin"),
            "");
}

TEST_F(ServerTest, AHandlerThatThrowsIs500AndTheConnectionGoesOn) {
  auto asks = peer();
  const auto got = asks.ask(get("/fail"));
  EXPECT_EQ(got.status, 500);
  EXPECT_EQ(got.body.find("broken on purpose"), std::string::npos) << "inside matters stay inside";
  EXPECT_EQ(asks.ask(get("/seen")).status, 200);
}

TEST_F(ServerTest, NoHandlerCanSplitAResponse) {
  auto asks = peer();
  const auto got = asks.ask(get("/evil?v=a%0D%0AX-Injected:%201%0D%0A%0D%0Abody"));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.fields.count("x-injected"), 0u) << got.head;
  EXPECT_EQ(got.field("x-c"), "good");
  EXPECT_EQ(asks.ask(get("/seen")).status, 200);
}

TEST_F(ServerTest, AnAnswerWithoutContentHasNoLength) {
  auto asks = peer();
  const auto got = asks.ask(get("/nothing"));
  EXPECT_EQ(got.status, 204);
  EXPECT_EQ(got.fields.count("content-length"), 0u);
  EXPECT_EQ(got.fields.count("transfer-encoding"), 0u);
  EXPECT_EQ(asks.ask(get("/seen")).status, 200);
}

// --- the connection

TEST_F(ServerTest, AConnectionServesOneRequestAfterAnother) {
  auto asks = peer();
  for (int i = 0; i < 20; ++i) {
    const std::string body(static_cast<std::size_t>(i) * 40, 'a');
    const auto got = asks.ask(post("/echo", body));
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, body);
    EXPECT_EQ(got.field("connection"), "");
  }
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInTheirOrder) {
  auto asks = peer();
  std::string all;
  for (int i = 0; i < 50; ++i) all += post("/echo", "body " + std::to_string(i));
  asks.send(all);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(asks.read().body, "body " + std::to_string(i));
}

TEST_F(ServerTest, BytesThatComeOneByOneMakeTheSameRequest) {
  auto asks = peer();
  for (const char c : post("/echo", "slow but sure") + get("/seen"))
    ASSERT_TRUE(asks.send(std::string_view(&c, 1)));
  EXPECT_EQ(asks.read().body, "slow but sure");
  EXPECT_EQ(asks.read().status, 200);
}

TEST_F(ServerTest, CloseIsHonouredAndWhatFollowsIsNotAnswered) {
  auto asks = peer();
  asks.send(get("/seen", "Connection: close\r\n") + get("/seen"));
  const auto got = asks.read();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.field("connection"), "close");
  EXPECT_TRUE(asks.ended());
}

TEST_F(ServerTest, Http10IsAnsweredAndClosedUnlessItAsksToStay) {
  auto once = peer();
  EXPECT_EQ(once.ask("GET /seen HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_TRUE(once.ended());
  auto stays = peer();
  const auto first = stays.ask("GET /seen HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.field("connection"), "keep-alive");
  EXPECT_EQ(stays.ask("GET /seen HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_TRUE(stays.ended());
}

TEST_F(ServerTest, TwoHundredConnectionsAtOnceAreServed) {
  std::vector<Peer> peers;
  for (int i = 0; i < 200; ++i) peers.push_back(peer());
  for (int i = 0; i < 200; ++i)
    peers[static_cast<std::size_t>(i)].send(post("/echo", std::to_string(i)));
  EXPECT_TRUE(test::soon([&] { return server_.counts().connections == 200; }));
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(peers[static_cast<std::size_t>(i)].read().body, std::to_string(i));
  peers.clear();
  EXPECT_TRUE(test::soon([&] { return server_.counts().connections == 0; }));
  EXPECT_EQ(server_.counts().answered[2], 200u);
}

TEST_F(ServerTest, ABigBodyGoesThroughWhole) {
  std::string body(limits::body_bytes_max, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 31 % 251);
  auto asks = peer();
  std::thread sends([&] { asks.send(post("/big", body)); });
  const auto got = asks.read();
  sends.join();
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.body == body);
}

TEST_F(ServerTest, AServerNamesTheAddressItCannotTake) {
  asio::io_context loop(1);
  LoopClock clock(loop);
  SystemRandom random;
  ServerOptions elsewhere;
  elsewhere.host = "203.0.113.1";  // set aside for documents, nobody's
  Server server(clock, random, router_, elsewhere);
  try {
    server.listen();
    FAIL() << "listens on an address that is not ours";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("203.0.113.1"), std::string::npos) << error.what();
  }
}

TEST(RequireFree, APortThatIsListenedAtIsRefusedThoughItCouldBeShared) {
  const Router router = routes();
  const LiveServer server(router);
  EXPECT_THROW(require_free("127.0.0.1", server.port()), std::system_error);
  EXPECT_NO_THROW(require_free("127.0.0.1", 0));
}

TEST(ServerRoom, AboveItsConnectionsAServerSays503) {
  const Router router = routes();
  ServerOptions options;
  options.connections_max = 2;
  LiveServer server(router, options);
  Peer first(server.port());
  Peer second(server.port());
  EXPECT_EQ(first.ask(get("/seen")).status, 200);
  EXPECT_EQ(second.ask(get("/seen")).status, 200);
  for (int i = 0; i < 20; ++i) {
    Peer third(server.port());
    third.send(get("/seen"));
    const auto got = third.read();
    EXPECT_EQ(got.status, 503);
    EXPECT_FALSE(got.field("retry-after").empty());
    EXPECT_TRUE(third.ended());
  }
  EXPECT_EQ(first.ask(get("/seen")).status, 200);
  second.close();
  EXPECT_TRUE(test::soon([&] { return Peer(server.port()).ask(get("/seen")).status == 200; }));
}

}  // namespace
}  // namespace millrace::http
