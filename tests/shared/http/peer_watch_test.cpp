#include <atomic>

#include "tests/shared/http/live_server.h"

namespace millrace::http {
namespace {

using test::get;
using test::LiveServer;
using test::Peer;
using test::soon;

/// A handler that answers when it is told to, or when nobody waits any more.
struct Slow {
  std::atomic<int> waiting{0};
  std::atomic<int> left{0};
  std::atomic<bool> answers{false};
  Signal* wake = nullptr;  ///< of the server's loop

  Task<Response> wait(Request& request) {
    wake = &request.asker->watch();
    ++waiting;
    while (!answers && !request.asker->gone()) co_await wake->wait();
    if (request.asker->gone()) ++left;
    --waiting;
    Response response;
    response.body = "{}";
    co_return response;
  }
  Router routes() {
    Router router;
    router.add(Method::get, "/slow", [this](Request& request) { return wait(request); });
    return router;
  }
  void answer(LiveServer& server) {
    answers = true;
    server.post([this] { wake->notify(); });
  }
};

TEST(PeerWatch, APeerThatLeavesIsNoticedAtOnce) {
  Slow slow;
  const Router router = slow.routes();
  LiveServer server(router);
  Peer closes(server.port());
  Peer resets(server.port());
  ASSERT_TRUE(closes.send(get("/slow")));
  ASSERT_TRUE(resets.send(get("/slow")));
  ASSERT_TRUE(soon([&] { return slow.waiting == 2; }));
  closes.close();
  resets.reset();
  EXPECT_TRUE(soon([&] { return slow.left == 2 && server.counts().connections == 0; }));
}

TEST(PeerWatch, WhoWaitsToTheEndIsAnsweredAndAsksOn) {
  Slow slow;
  const Router router = slow.routes();
  LiveServer server(router);
  Peer peer(server.port());
  for (int request = 0; request < 2; ++request) {
    slow.answers = false;
    ASSERT_TRUE(peer.send(get("/slow")));
    ASSERT_TRUE(soon([&] { return slow.waiting == 1; }));
    slow.answer(server);
    EXPECT_EQ(peer.read().status, 200);
  }
  EXPECT_EQ(slow.left, 0);
}

TEST(PeerWatch, ARequestSentMeanwhileIsServedNext) {
  Slow slow;
  const Router router = slow.routes();
  LiveServer server(router);
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(get("/slow")));
  ASSERT_TRUE(soon([&] { return slow.waiting == 1; }));
  ASSERT_TRUE(peer.send(get("/slow")));
  slow.answer(server);
  EXPECT_EQ(peer.read().status, 200);
  EXPECT_EQ(peer.read().status, 200);
  EXPECT_EQ(slow.left, 0);
}

}  // namespace
}  // namespace millrace::http
