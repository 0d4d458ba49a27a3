#include <atomic>

#include "shared/http/server.h"
#include "shared/runtime/nursery.h"
#include "tests/shared/http/live_server.h"

/// How a server goes down.
namespace millrace::http {
namespace {

using test::get;
using test::LiveServer;
using test::Peer;
using test::soon;

/// A handler that is under way until the test says so.
struct Door {
  std::atomic<int> waiting{0};
  std::atomic<int> left{0};
  Signal* opened = nullptr;
};

Task<Response> wait_at(Door& door, Request&) {
  struct Leaves {
    Door& door;
    ~Leaves() { ++door.left; }
  } leaves{door};
  ++door.waiting;
  co_await door.opened->wait();
  Response response;
  response.body = "\"through\"";
  co_return response;
}

Task<Response> plain(Request&) {
  co_return Response{};
}

class DrainTest : public testing::Test {
 protected:
  Router routes() {
    Router router;
    router.add(Method::get, "/door", [this](Request& request) { return wait_at(door_, request); });
    router.add(Method::get, "/plain", plain);
    return router;
  }
  void TearDown() override {  // nobody may wait at a door that goes
    server_.drain(0ms);
    server_.wait_end();
  }
  void open_door() {
    server_.post([this] { opened_.notify(); });
  }

  Door door_;
  const Router router_ = routes();
  LiveServer server_{router_};
  Signal opened_{server_.clock()};
  const bool ready_ = [this] {
    door_.opened = &opened_;
    return true;
  }();
};

TEST_F(DrainTest, ARequestThatIsUnderWayIsAnsweredAndTheConnectionClosed) {
  Peer asks(server_.port());
  asks.send(get("/door"));
  ASSERT_TRUE(soon([&] { return door_.waiting == 1; }));
  server_.drain(10s);
  open_door();
  const auto got = asks.read();
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "\"through\"");
  EXPECT_EQ(got.field("connection"), "close");
  EXPECT_TRUE(asks.ended());
  asks.close();
  server_.wait_end();
}

TEST_F(DrainTest, IdleConnectionsAreClosedAtOnce) {
  Peer fresh(server_.port());
  Peer used(server_.port());
  EXPECT_EQ(used.ask(get("/plain")).status, 200);
  ASSERT_TRUE(soon([&] { return server_.counts().connections == 2; }));
  const Instant began = server_.clock().now();
  server_.drain(10s);
  server_.wait_end();  // though the peers have not closed theirs
  EXPECT_LT(server_.clock().now() - began, 3s);
  EXPECT_TRUE(fresh.ended());
  EXPECT_TRUE(used.ended());
}

TEST_F(DrainTest, NobodyIsTakenAnyMore) {
  Peer holds(server_.port());
  holds.send(get("/door"));
  ASSERT_TRUE(soon([&] { return door_.waiting == 1; }));
  server_.drain(10s);
  EXPECT_TRUE(soon([&] {
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(server_.port());
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool refused = ::connect(probe, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0;
    ::close(probe);
    return refused;
  }));
  open_door();
  EXPECT_EQ(holds.read().status, 200);
}

TEST_F(DrainTest, AHandlerThatDoesNotEndIsStoppedWhenTheGraceIsOver) {
  Peer asks(server_.port());
  asks.send(get("/door"));
  ASSERT_TRUE(soon([&] { return door_.waiting == 1; }));
  server_.drain(50ms);
  server_.wait_end();
  EXPECT_EQ(door_.left, 1);
  EXPECT_EQ(server_.counts().connections, 0);
  EXPECT_EQ(asks.read().status, 0) << "no answer is made up";
}

TEST_F(DrainTest, AServerWithoutConnectionsEndsAtOnceAndASecondDrainIsNone) {
  const Instant began = server_.clock().now();
  server_.drain(10s);
  server_.drain(0ms);
  server_.wait_end();
  EXPECT_LT(server_.clock().now() - began, 3s);
}

TEST_F(DrainTest, ARunThatIsCancelledEndsItsConnections) {
  asio::io_context loop(1);
  LoopClock clock(loop);
  SystemRandom random;
  Server server(clock, random, router_, {});
  server.listen();
  Nursery nursery(clock);
  nursery.start(server.run());
  std::thread client([&] {
    Peer stays(server.port());
    EXPECT_EQ(stays.ask(get("/plain")).status, 200);
    asio::post(loop, [&] { nursery.stop(); });
    stays.ended();
  });
  bool joined = false;
  const auto join = [](Nursery& nursery, bool& joined) -> Task<> {
    co_await nursery.join();
    joined = true;
  };
  asio::co_spawn(loop, join(nursery, joined), [&](std::exception_ptr) { loop.stop(); });
  loop.run();
  client.join();
  EXPECT_TRUE(joined);
  EXPECT_EQ(server.counts().connections, 0);
}

}  // namespace
}  // namespace millrace::http
