#include "shared/http/server.h"
#include "tests/shared/http/live_server.h"

/// What a server does with requests that are too large, too slow or ambiguous.
namespace millrace::http {
namespace {

using test::Answer;
using test::get;
using test::LiveServer;
using test::Peer;
using test::post;

constexpr std::size_t body_max = 1000;

Task<Response> echo(Request& request) {
  Response response;
  response.content_type = "text/plain";
  response.body = request.body;
  co_return response;
}

Router routes() {
  Router router;
  router.add(Method::post, "/echo", echo, {.body_bytes_max = body_max});
  router.add(Method::post, "/big", echo);
  router.add(Method::get, "/seen", echo);
  return router;
}

std::string chunked(const std::string& path, const std::string& body,
                    const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n" + fields +
         "\r\n" + body;
}

class LimitsTest : public testing::Test {
 protected:
  static ServerOptions options() {
    ServerOptions made;
    made.times = {.head = 200ms,
                  .body_idle = 200ms,
                  .body_grace = 600ms,
                  .body_bytes_per_s_min = 4000,
                  .keep_alive = 200ms,
                  .stall = 10s};
    return made;
  }
  Peer peer() const { return Peer(server_.port()); }
  /// The answer, after which the server must close.
  Answer last_answer(const std::string& request) const {
    auto asks = peer();
    const auto got = asks.ask(request);
    EXPECT_EQ(got.field("connection"), "close") << request;
    EXPECT_TRUE(asks.ended()) << request;
    return got;
  }

  const Router router_ = routes();
  LiveServer server_{router_, options()};
};

// --- time

TEST_F(LimitsTest, ASlowHeadIs408) {
  for (const char* start : {"G", "GET /seen HTTP/1.1\r\nHost: h\r\n"}) {
    const auto got = last_answer(start);
    EXPECT_EQ(got.status, 408);
    EXPECT_EQ(got.field("content-type"), "application/problem+json");
  }
}

TEST_F(LimitsTest, ADripOfBytesDoesNotStretchTheHeadsTime) {
  auto asks = peer();
  asks.send("GET /seen HTTP/1.1\r\n");
  const Instant began = server_.clock().now();
  while (asks.silent() && server_.clock().now() - began < 5s) {
    asks.send("A: b\r\n");
    ::usleep(10'000);
  }
  EXPECT_EQ(asks.read().status, 408);
}

TEST_F(LimitsTest, ASlowBodyIs408) {
  EXPECT_EQ(last_answer("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab").status,
            408);
  EXPECT_EQ(last_answer(chunked("/echo", "5\r\nab")).status, 408);
}

TEST_F(LimitsTest, ABodyThatKeepsComingHasItsTime) {
  auto asks = peer();
  asks.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
  for (int i = 0; i < 10; ++i) {
    ::usleep(30'000);
    ASSERT_TRUE(asks.send("x"));
  }
  EXPECT_EQ(asks.read().body, "xxxxxxxxxx");
}

TEST_F(LimitsTest, ABodyThatDripsIs408ThoughNoPauseIsLong) {
  for (const std::string& start :
       {std::string("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 900\r\n\r\n"),
        chunked("/echo", "")}) {
    auto asks = peer();
    asks.send(start);
    const Instant began = server_.clock().now();
    while (asks.silent() && server_.clock().now() - began < 8s) {
      asks.send(start.ends_with("900\r\n\r\n") ? "x" : "1\r\nx\r\n");
      ::usleep(10'000);
    }
    const auto got = asks.read();
    EXPECT_EQ(got.status, 408);
    EXPECT_NE(got.body.find("on average"), std::string::npos) << got.body;
    EXPECT_EQ(got.field("connection"), "close");
  }
}

TEST_F(LimitsTest, AnIdleConnectionIsClosedWithoutAWord) {
  auto asks = peer();
  EXPECT_EQ(asks.ask(get("/seen")).status, 200);
  EXPECT_TRUE(asks.ended());
  EXPECT_TRUE(peer().ended());
}

// --- size

TEST_F(LimitsTest, ABodyAboveTheRoutesLimitIs413) {
  EXPECT_EQ(peer().ask(post("/echo", std::string(body_max, 'a'))).status, 200);
  const auto got = last_answer("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_EQ(got.status, 413);
  EXPECT_NE(got.body.find("1000"), std::string::npos) << "it says what is allowed";
  EXPECT_EQ(last_answer(chunked("/echo", "3e9\r\n")).status, 413);
  EXPECT_EQ(last_answer(chunked("/echo", "3e8\r\n" + std::string(1000, 'a') + "\r\n1\r\n")).status,
            413);
  EXPECT_EQ(
      last_answer("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 999999999999999999\r\n\r\n")
          .status,
      413);
}

TEST_F(LimitsTest, ALongUrlIs414AndALargeHeader431) {
  EXPECT_EQ(peer().ask(get("/seen?" + std::string(8000, 'a'))).status, 200);
  EXPECT_EQ(last_answer(get("/seen?" + std::string(9000, 'a'))).status, 414);
  EXPECT_EQ(peer().ask(get("/seen", "A: " + std::string(30'000, 'a') + "\r\n")).status, 200);
  EXPECT_EQ(last_answer(get("/seen", "A: " + std::string(33'000, 'a') + "\r\n")).status, 431);
  std::string many;
  for (int i = 0; i < 200; ++i) many += "A: b\r\n";
  EXPECT_EQ(last_answer(get("/seen", many)).status, 431);
}

TEST_F(LimitsTest, AnAnswerToAnEarlyRefusalReachesAClientThatIsStillSending) {
  for (int round = 0; round < 20; ++round) {
    auto asks = peer();
    // It writes all before it reads, as simple clients do; the server has long answered.
    asks.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n");
    const std::string piece(100'000, 'a');
    for (int i = 0; i < 40; ++i)
      if (!asks.send(piece)) break;
    EXPECT_EQ(asks.read().status, 413);
  }
}

// --- Expect

TEST_F(LimitsTest, AClientThatAsksFirstIsToldToGoOn) {
  auto asks = peer();
  asks.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(asks.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  const auto got = asks.ask("ok");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "ok");
  asks.send(chunked("/echo", "", "Expect: 100-continue\r\n"));
  EXPECT_EQ(asks.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(asks.ask("2\r\nok\r\n0\r\n\r\n").body, "ok");
}

TEST_F(LimitsTest, AClientThatDoesNotWaitIsNotToldTwice) {
  auto asks = peer();
  const auto got = asks.ask(post("/echo", "all", "Expect: 100-continue\r\n"));
  EXPECT_EQ(got.body, "all");
  EXPECT_TRUE(asks.informed.empty());
  EXPECT_EQ(asks.ask(post("/echo", "", "Expect: 100-continue\r\n")).status, 200);
  EXPECT_TRUE(asks.informed.empty());
}

TEST_F(LimitsTest, WhatWillBeRefusedIsNotAskedFor) {
  const std::string rest = " HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: ";
  auto too_large = peer();
  EXPECT_EQ(too_large.ask("POST /echo" + rest + "1001\r\n\r\n").status, 413);
  EXPECT_TRUE(too_large.informed.empty());
  EXPECT_EQ(last_answer("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n").status, 417);
}

// --- framing

TEST_F(LimitsTest, AmbiguousFramingIs400AndClosesWithNothingElseAnswered) {
  const std::string hidden = get("/seen");
  for (const char* fields :
       {"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n", "Content-Length: 5\r\nContent-Length: 5\r\n",
        "Content-Length: 0, 5\r\n", "Content-Length: +0\r\n", "Content-Length : 0\r\n",
        " Content-Length: 0\r\n", "X: y\r\n Content-Length: 5\r\n", "Host: other\r\n",
        "Transfer-Encoding : chunked\r\n", "X\r\n", "X: a\rb\r\n", "X: a\nY: b\r\n"}) {
    const auto got =
        last_answer("POST /echo HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n" + hidden);
    EXPECT_EQ(got.status, 400) << fields;
    EXPECT_EQ(got.field("content-type"), "application/problem+json");
  }
  for (const char* coding : {"gzip", "chunked, gzip", "gzip, chunked", "xchunked", "identity"}) {
    const auto got =
        last_answer("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: " + std::string(coding) +
                    "\r\n\r\n" + hidden);
    EXPECT_EQ(got.status, 501) << coding;
  }
}

TEST_F(LimitsTest, ABadChunkIs400AndCloses) {
  for (const char* body : {"x\r\n", "-1\r\n", "0x1\r\n", "1\n", " 1\r\n", "1\r\nab\r\n",
                           "0\r\n \r\n", "1;\n", "ffffffffffffffffff\r\n"})
    EXPECT_EQ(last_answer(chunked("/echo", body) + get("/seen")).status, 400) << body;
}

TEST_F(LimitsTest, NonsenseIsRefusedAndClosed) {
  for (const char* bytes : {"\x16\x03\x01\x02\r\n\r\n", "hello\r\n\r\n", "GET\r\n\r\n",
                            "GET /seen\r\n\r\n", "\r\n\r\n\r\n\r\n", "GET / HTTP/1.1\n\n"})
    EXPECT_EQ(last_answer(bytes).status, 400) << bytes;
  EXPECT_EQ(last_answer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").status, 505);
}

TEST_F(LimitsTest, AChunkedBodyIsReadHoweverItIsCut) {
  const std::string request =
      chunked("/echo", "5;x=y\r\nhello\r\n6\r\n world\r\n0\r\nT: v\r\n\r\n");
  auto asks = peer();
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    asks.send(request.substr(0, cut));
    asks.send(request.substr(cut));
    const auto got = asks.read();
    ASSERT_EQ(got.status, 200) << cut;
    ASSERT_EQ(got.body, "hello world") << cut;
  }
}

TEST_F(LimitsTest, AClientThatLeavesInTheMiddleLeavesNothingBehind) {
  for (const char* start :
       {"", "GET /se", "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab"}) {
    auto leaves = peer();
    leaves.send(start);
    leaves.close();
    auto resets = peer();
    resets.send(start);
    resets.reset();
  }
  EXPECT_TRUE(test::soon([&] { return server_.counts().connections == 0; }));
  EXPECT_EQ(peer().ask(get("/seen")).status, 200);
}

}  // namespace
}  // namespace millrace::http
