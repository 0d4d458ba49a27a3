#include <atomic>

#include "shared/http/server.h"
#include "tests/shared/http/live_server.h"

/// What a streamed response promises to its handler and to its reader.
namespace millrace::http {
namespace {

using test::Answer;
using test::get;
using test::LiveServer;
using test::Peer;
using test::soon;

/// What the bodies below do and what they heard, told across threads.
struct Stage {
  std::atomic<int> began{0};
  std::atomic<int> ended{0};
  std::atomic<int> woken{0};
  std::atomic<bool> closed{false};
  std::atomic<bool> draining{false};
  std::atomic<int> error{0};  ///< the Errc of the first write that failed
  std::atomic<std::size_t> written{0};

  /// However the body ends.
  struct Scene {
    Stage& stage;
    explicit Scene(Stage& its_stage) : stage(its_stage) { ++stage.began; }
    ~Scene() { ++stage.ended; }
  };
};

Task<> count_to_three(Stage& stage, StreamWriter& writer) {
  const Stage::Scene scene(stage);
  for (const char* piece : {"one ", "", "two ", "three"}) {
    const auto written = co_await writer.write(piece);
    EXPECT_TRUE(written);
  }
}

Task<> wait_for_news(Stage& stage, StreamWriter& writer) {
  const Stage::Scene scene(stage);
  const auto first = co_await writer.write("first");
  EXPECT_TRUE(first);
  while (!writer.closed() && !writer.draining()) {
    co_await writer.wake().wait();
    ++stage.woken;
  }
  stage.closed = writer.closed();
  stage.draining = writer.draining();
  if (!writer.draining()) co_return;
  (void)co_await writer.write(" last");
}

Task<> say_nothing(Stage& stage, StreamWriter& writer) {
  const Stage::Scene scene(stage);
  while (!writer.closed() && !writer.draining()) co_await writer.wake().wait();
  stage.closed = writer.closed();
}

Task<> write_for_ever(Stage& stage, StreamWriter& writer) {
  const Stage::Scene scene(stage);
  const std::string piece(64 * 1024, 'x');
  for (;;) {
    const auto written = co_await writer.write(piece);
    if (!written) {
      stage.error = static_cast<int>(written.error());
      const auto again = co_await writer.write("more");
      EXPECT_FALSE(again) << "a stream that has failed stays failed";
      co_return;
    }
    stage.written += piece.size();
  }
}

Task<> write_much(Stage& stage, StreamWriter& writer) {
  const Stage::Scene scene(stage);
  std::string piece(100'000, '\0');
  for (int i = 0; i < 50; ++i) {
    for (std::size_t at = 0; at < piece.size(); ++at)
      piece[at] = static_cast<char>((static_cast<std::size_t>(i) * 7 + at) % 251);
    const auto written = co_await writer.write(piece);
    EXPECT_TRUE(written);
    stage.written += piece.size();
  }
}

Task<> write_beyond_its_length(Stage& stage, StreamWriter& writer) {
  const Stage::Scene scene(stage);
  const auto first = co_await writer.write("one ");
  const auto beyond = co_await writer.write("two three");
  const auto last = co_await writer.write("two");
  EXPECT_TRUE(first);
  EXPECT_EQ(beyond.error(), Errc::closed);
  EXPECT_TRUE(last);
}

Task<> cut(Stage& stage, StreamWriter& writer) {
  const Stage::Scene scene(stage);
  (void)co_await writer.write("half");
  throw StreamCut();
}

Task<> fail(Stage& stage, StreamWriter& writer) {
  const Stage::Scene scene(stage);
  (void)co_await writer.write("half");
  throw std::runtime_error("broken on purpose");
}

using Body = Task<> (*)(Stage&, StreamWriter&);

Task<Response> start(Stage& stage, Body body, Request&) {
  Response response;
  response.content_type = "text/event-stream";
  response.stream = [&stage, body](StreamWriter& writer) { return body(stage, writer); };
  co_return response;
}

Task<Response> start_sized(Stage& stage, Body body, std::uint64_t bytes, Request& request) {
  auto response = co_await start(stage, body, request);
  response.stream_bytes = bytes;
  co_return response;
}

Task<Response> plain(Request&) {
  Response response;
  response.body = "{}";
  co_return response;
}

class StreamTest : public testing::Test {
 protected:
  static ServerOptions options() {
    ServerOptions made;
    made.times.stall = 200ms;
    return made;
  }
  Router routes() {
    Router router;
    const auto add = [&](const std::string& path, Body body) {
      router.add(Method::get, path,
                 [this, body](Request& request) { return start(stage_, body, request); });
    };
    add("/three", count_to_three);
    add("/news", wait_for_news);
    add("/silence", say_nothing);
    add("/endless", write_for_ever);
    add("/much", write_much);
    add("/cut", cut);
    add("/fail", fail);
    const auto add_sized = [&](const std::string& path, Body body, std::uint64_t bytes) {
      router.add(Method::get, path, [this, body, bytes](Request& request) {
        return start_sized(stage_, body, bytes, request);
      });
    };
    add_sized("/sized", count_to_three, 13);
    add_sized("/short", count_to_three, 14);
    add_sized("/long", write_beyond_its_length, 7);
    router.add(Method::get, "/plain", plain);
    return router;
  }
  Peer peer(Peer::Reads reads = Peer::Reads::normally) const { return Peer(server_.port(), reads); }

  Stage stage_;
  const Router router_ = routes();
  LiveServer server_{router_, options()};
};

TEST_F(StreamTest, AStreamIsChunkedAndNotKeptByAnybodyOnTheWay) {
  auto reads = peer();
  const auto got = reads.ask(get("/three"));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "one two three");
  EXPECT_TRUE(got.whole);
  EXPECT_EQ(got.field("transfer-encoding"), "chunked");
  EXPECT_EQ(got.field("content-type"), "text/event-stream");
  EXPECT_EQ(got.field("cache-control"), "no-store");
  EXPECT_EQ(got.field("x-accel-buffering"), "no");
  EXPECT_EQ(got.fields.count("content-length"), 0u);
  EXPECT_FALSE(got.field("x-request-id").empty());
}

TEST_F(StreamTest, AStreamThatKnowsItsLengthTellsItAndKeepsTheConnection) {
  for (const auto* version : {"1.1", "1.0"}) {
    auto reads = peer();
    const auto rest =
        " HTTP/" + std::string(version) + "\r\nHost: h\r\nConnection: keep-alive\r\n\r\n";
    const auto head = reads.ask("HEAD /sized" + rest, true);
    EXPECT_EQ(head.field("content-length"), "13");
    const auto got = reads.ask("GET /sized" + rest);
    EXPECT_EQ(got.field("content-length"), "13");
    EXPECT_EQ(got.fields.count("transfer-encoding"), 0u);
    EXPECT_EQ(got.body, "one two three");
    EXPECT_EQ(reads.ask(get("/plain")).body, "{}");
  }
  EXPECT_EQ(stage_.began, 2);
}

TEST_F(StreamTest, AStreamThatEndsBeforeItsLengthIsCut) {
  auto reads = peer();
  const auto got = reads.ask(get("/short"));
  EXPECT_EQ(got.body, "one two three");
  EXPECT_FALSE(got.whole);
}

TEST_F(StreamTest, NothingIsSentBeyondALengthThatWasTold) {
  auto reads = peer();
  EXPECT_EQ(reads.ask(get("/long")).body, "one two");
  EXPECT_EQ(reads.ask(get("/plain")).body, "{}");
}

TEST_F(StreamTest, AfterAStreamTheConnectionIsUsedAgainOrClosedInOrder) {
  auto reads = peer();
  const auto got = reads.ask(get("/three"));
  if (got.field("connection") == "close") {
    EXPECT_TRUE(reads.ended());
  } else {
    EXPECT_EQ(reads.ask(get("/plain")).body, "{}");
    EXPECT_EQ(reads.ask(get("/three")).body, "one two three");
  }
}

TEST_F(StreamTest, TheHeadComesBeforeTheFirstEvent) {
  auto reads = peer();
  reads.send(get("/silence"));
  EXPECT_TRUE(reads.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
}

TEST_F(StreamTest, HeadOfAStreamIsItsHead) {
  auto reads = peer();
  const auto got = reads.ask("HEAD /news HTTP/1.1\r\nHost: h\r\n\r\n", true);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.field("content-type"), "text/event-stream");
  EXPECT_EQ(reads.ask(get("/plain")).body, "{}");
  EXPECT_EQ(stage_.began, 0);
}

TEST_F(StreamTest, Http10GetsTheBodyBareUntilTheClose) {
  auto reads = peer();
  const auto got = reads.ask("GET /three HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.fields.count("transfer-encoding"), 0u);
  EXPECT_EQ(got.field("connection"), "close");
  EXPECT_EQ(got.body, "one two three");
  EXPECT_TRUE(reads.ended());
}

TEST_F(StreamTest, APeerThatLeavesWakesTheBodyAtOnce) {
  for (const bool resets : {false, true}) {
    stage_.closed = false;
    const int ended = stage_.ended;
    auto reads = peer();
    reads.send(get("/news"));
    EXPECT_FALSE(reads.read_until("first").empty());
    const Instant left = server_.clock().now();
    resets ? reads.reset() : reads.close();
    ASSERT_TRUE(soon([&] { return stage_.ended > ended; }));
    EXPECT_LT(server_.clock().now() - left, 150ms) << "before any time-out";
    EXPECT_TRUE(stage_.closed);
  }
  EXPECT_TRUE(soon([&] { return server_.counts().connections == 0; }));
  EXPECT_EQ(server_.counts().streams, 0);
}

TEST_F(StreamTest, AReaderThatStopsReadingIsCutAfterTheStallTime) {
  auto reads = peer(Peer::Reads::into_little_room);
  reads.send(get("/endless"));
  ASSERT_TRUE(soon([&] { return stage_.ended == 1; }));
  EXPECT_EQ(stage_.error, static_cast<int>(Errc::timed_out));
  EXPECT_LT(stage_.written, 64u * 1024 * 1024) << "what is held is bounded";
}

TEST_F(StreamTest, APeerThatLeavesEndsAWriteThatIsUnderWay) {
  auto reads = peer(Peer::Reads::into_little_room);
  reads.send(get("/endless"));
  reads.read_until("\r\n\r\n");
  reads.reset();
  ASSERT_TRUE(soon([&] { return stage_.ended == 1; }));
  EXPECT_EQ(stage_.error, static_cast<int>(Errc::closed));
}

TEST_F(StreamTest, AReaderWhoReadsSlowlyGetsItAll) {
  auto reads = peer(Peer::Reads::into_little_room);
  const auto got = reads.ask(get("/much"));
  EXPECT_TRUE(got.whole);
  ASSERT_EQ(got.body.size(), 5'000'000u);
  for (std::size_t i = 0; i < 50; ++i)
    for (std::size_t at = 0; at < 100'000; at += 997)
      ASSERT_EQ(got.body[i * 100'000 + at], static_cast<char>((i * 7 + at) % 251));
}

TEST_F(StreamTest, ABodyThatFailsOrIsCutHasNoLastChunk) {
  for (const char* path : {"/fail", "/cut"}) {
    auto reads = peer();
    const auto got = reads.ask(get(path));
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "half");
    EXPECT_FALSE(got.whole) << path;
    EXPECT_TRUE(reads.ended());
  }
  EXPECT_EQ(peer().ask(get("/plain")).status, 200);
}

TEST_F(StreamTest, AClientThatTalksDuringTheStreamIsBorneAndThenCut) {
  auto reads = peer();
  reads.send(get("/news"));
  reads.read_until("first");
  EXPECT_TRUE(reads.send("a few bytes"));
  for (int i = 0; i < 1000; ++i)
    if (!reads.send(std::string(10'000, 'x'))) break;
  EXPECT_TRUE(soon([&] { return stage_.ended == 1; }));
}

TEST_F(StreamTest, ARequestSentBehindAStreamIsAnsweredAfterItOrNotAtAll) {
  auto reads = peer();
  reads.send(get("/three") + get("/plain"));
  const auto first = reads.read();
  EXPECT_EQ(first.body, "one two three");
  EXPECT_TRUE(first.whole);
  if (first.field("connection") == "close")
    EXPECT_TRUE(reads.ended());
  else
    EXPECT_EQ(reads.read().body, "{}");
}

TEST_F(StreamTest, ManyStreamsAtOnceAreCountedAndEnd) {
  std::vector<Peer> peers;
  for (int i = 0; i < 200; ++i) {
    peers.push_back(peer());
    peers.back().send(get("/news"));
  }
  for (auto& each : peers) EXPECT_FALSE(each.read_until("first").empty());
  EXPECT_EQ(server_.counts().streams, 200);
  peers.clear();
  EXPECT_TRUE(soon([&] { return server_.counts().streams == 0; }));
  EXPECT_EQ(stage_.ended, 200);
}

// --- the server's end

TEST_F(StreamTest, ADrainLetsAStreamSayItsLastWords) {
  auto reads = peer();
  reads.send(get("/news"));
  EXPECT_FALSE(reads.read_until("first").empty());
  server_.drain(5s);
  EXPECT_FALSE(reads.read_until(" last").empty());
  EXPECT_EQ(reads.read_rest(), "\r\n0\r\n\r\n");
  reads.close();
  server_.wait_end();
  EXPECT_TRUE(stage_.draining);
}

TEST_F(StreamTest, AStreamThatDoesNotEndIsCutWhenTheGraceIsOver) {
  auto blocked = peer(Peer::Reads::into_little_room);
  blocked.send(get("/endless"));
  ASSERT_TRUE(soon([&] { return stage_.written > 0; }));
  server_.drain(50ms);
  server_.wait_end();
  EXPECT_EQ(stage_.ended, 1);
  EXPECT_EQ(server_.counts().connections, 0);
  EXPECT_EQ(server_.counts().streams, 0);
}

}  // namespace
}  // namespace millrace::http
