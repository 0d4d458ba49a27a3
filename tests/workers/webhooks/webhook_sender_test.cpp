#include "workers/webhooks/webhook_sender.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>

#include "shared/contract/envelope.h"
#include "shared/runtime/virtual_clock.h"
#include "shared/sqlite/sqlite_store.h"
#include "tests/shared/curl/scripted_server.h"
#include "tests/shared/sqlite/temporary_folder.h"

namespace millrace {
namespace {

std::string answer(int status, std::string_view headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n" +
         std::string(headers) + "\r\n";
}

template <class Time>
struct SenderIn : ::testing::Test {
  asio::io_context io{1};
  Time clock{io};
  SystemRandom random;
  TemporaryFolder folder;
  SqliteStore all{folder.path("store.db"), random};
  std::unique_ptr<Store> store = all.port(clock);
  std::unique_ptr<Webhooks> outbox = all.webhooks(clock);
  std::unique_ptr<ScriptedServer> server = std::make_unique<ScriptedServer>(clock);
  outbound::Guard guard{"127.0.0.0/8"};
  WebhookCounts counts;
  DeliveryNews news;
  Nursery nursery{clock};
  std::unique_ptr<WebhookSender> sender;

  template <class Condition>
  bool run_until(Condition holds) {
    constexpr bool time_stands = std::is_same_v<Time, VirtualClock>;
    const Instant end = clock.now() + 20s;
    for (int turns = 0; clock.now() < end && !holds() && turns < 2000; turns += time_stands) {
      io.restart();
      io.run_one_for(20ms);
      if constexpr (time_stands) clock.run_for(0s);
    }
    return holds();
  }
  template <class T>
  static Task<> keep(Task<T> task, std::optional<T>& into) {
    into = co_await std::move(task);
  }
  template <class T>
  T get(Task<T> task) {
    std::optional<T> result;
    nursery.start(keep(std::move(task), result));
    EXPECT_TRUE(run_until([&] { return result.has_value(); }));
    return std::move(*result);
  }
  void start(Duration timeout = 1s) {
    sender = std::make_unique<WebhookSender>(WebhookSender::Parts{.outbox = *outbox,
                                                                  .store = *store,
                                                                  .clock = clock,
                                                                  .random = random,
                                                                  .counts = counts,
                                                                  .guard = guard,
                                                                  .news = news,
                                                                  .timeout = timeout});
    nursery.start(sender->run());
  }
  static Task<> close_server(ScriptedServer& closing) { co_await closing.close(); }
  void TearDown() override {
    Nursery closing(clock);
    closing.start(close_server(*server));
    nursery.stop();
    EXPECT_TRUE(run_until([&] { return closing.size() == 0 && nursery.size() == 0; }));
  }

  Job ended(int number, const std::string& url) {
    Job job;
    job.id = *JobId::parse("0190a1b2-c3d4-7e5f-8071-92a3b4c5d6e7");
    job.id.bytes[15] = static_cast<std::uint8_t>(number);
    job.input = R"("?")";
    job.created_at = clock.wall();
    job.deadline = job.created_at + 24h;
    job.envelope = R"({"webhook":{"url":")" + url + R"("}})";
    job.envelope = encode_envelope(job);
    Outcome outcome;
    outcome.state = JobState::succeeded;
    outcome.text = "안녕 🎉";
    EXPECT_TRUE(get(store->finish(job, outcome, nullptr)));
    return job;
  }
  WebhookHistory history(const Job& job) {
    auto found = get(outbox->find("default", job.id));
    EXPECT_TRUE(found);
    return found ? *found : WebhookHistory();
  }
  bool settles(const Job& job, std::uint32_t attempts) {
    return run_until([&] { return history(job).attempts.size() == attempts; });
  }
  static std::string header(const std::string& request, const std::string& name) {
    const auto at = request.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const auto from = at + name.size() + 4;
    return request.substr(from, request.find("\r\n", from) - from);
  }
};

struct Sender : SenderIn<LoopClock> {};
struct SenderInStandingTime : SenderIn<VirtualClock> {};

TEST_F(SenderInStandingTime, NewsOfAnEndIsHeardBeforeTheNextLook) {
  for (int i = 0; i < 3; ++i) server->scripts.emplace_back().send(answer(204));
  const auto first = ended(1, server->url());
  start();
  ASSERT_TRUE(settles(first, 1)) << "the first look is at once";
  for (int i = 0; i < 3; ++i) {  // the looks that its end led to
    clock.run_for(30ms);
    history(first);
  }
  const Instant before = clock.now();
  const auto second = ended(2, server->url());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(history(second).delivery.attempts, 0u) << "nobody told";
  news.tell();
  news.tell();
  clock.run_for(50ms);
  ASSERT_TRUE(settles(second, 1));
  EXPECT_EQ(clock.now(), before + 50ms);

  const auto third = ended(3, server->url());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(history(third).delivery.attempts, 0u) << "told of twice";
  clock.run_for(300ms);
  ASSERT_TRUE(settles(third, 1)) << "what nobody tells of is found all the same";
}

TEST_F(SenderInStandingTime, NewsForASenderThatIsGoneIsLostWithoutHarm) {
  start();
  news.tell();
  nursery.stop();
  ASSERT_TRUE(run_until([&] { return nursery.size() == 0; }));
  news.tell();
  sender.reset();
  news.tell();
  io.restart();
  io.poll();
}

TEST_F(Sender, SendsAnEndedJobOnceSigned) {
  server->scripts.emplace_back().send(answer(204));
  start();
  const auto job = ended(1, server->url() + "/hook?x=1");
  ASSERT_TRUE(settles(job, 1));
  EXPECT_EQ(history(job).delivery.state, DeliveryState::delivered);
  EXPECT_EQ(history(job).delivery.last_status, 204);
  ASSERT_EQ(server->requests.size(), 1u);
  const std::string& request = server->requests[0];
  EXPECT_TRUE(request.starts_with("POST /hook?x=1 HTTP/1.1\r\n"));
  EXPECT_EQ(header(request, "Content-Type"), "application/json");
  EXPECT_EQ(header(request, "webhook-id"), webhook_id(job.id));
  const std::string body = request.substr(request.find("\r\n\r\n") + 4);
  EXPECT_NE(body.find("안녕 🎉"), std::string::npos);
  const auto secrets = get(outbox->secrets("default"));
  ASSERT_TRUE(secrets);
  const std::chrono::seconds at(std::stoll(header(request, "webhook-timestamp")));
  EXPECT_EQ(header(request, "webhook-signature"),
            webhook_signature(*secrets, webhook_id(job.id), at, body));
  EXPECT_EQ(counts.delivered, 1u);
}

TEST_F(Sender, WhatFailsIsNotedAndTriedAgainWhenItIsDue) {
  server->scripts.emplace_back().send(answer(500));
  start();
  const auto job = ended(1, server->url());
  ASSERT_TRUE(settles(job, 1));
  const auto noted = history(job);
  EXPECT_EQ(noted.delivery.state, DeliveryState::pending);
  EXPECT_EQ(noted.attempts[0].status, 500);
  EXPECT_EQ(noted.attempts[0].error, "the receiver answered 500");
  ASSERT_TRUE(noted.delivery.next_at);
  EXPECT_GT(*noted.delivery.next_at, clock.wall() + 2s);
  server->scripts.emplace_back().send(answer(200));
  ASSERT_TRUE(get(outbox->redeliver("default", job.id)));
  ASSERT_TRUE(settles(job, 2));
  EXPECT_EQ(history(job).delivery.state, DeliveryState::delivered);
  EXPECT_EQ(header(server->requests[0], "webhook-id"), header(server->requests[1], "webhook-id"));
  EXPECT_EQ(counts.retried, 1u);
}

TEST_F(Sender, ARedirectIsNotFollowedAndOneThatIsGoneIsGivenUp) {
  server->scripts.emplace_back().send(answer(302, "Location: " + server->url() + "/inner\r\n"));
  server->scripts.emplace_back().send(answer(410));
  start();
  const auto job = ended(1, server->url());
  ASSERT_TRUE(settles(job, 1));
  EXPECT_NE(history(job).delivery.last_error.find("redirects are not followed"), std::string::npos);
  EXPECT_EQ(history(job).delivery.state, DeliveryState::pending);
  ASSERT_TRUE(get(outbox->redeliver("default", job.id)));
  ASSERT_TRUE(settles(job, 2));
  EXPECT_EQ(history(job).delivery.state, DeliveryState::failed);
  EXPECT_EQ(server->requests.size(), 2u);
  EXPECT_EQ(counts.failed, 1u);
}

TEST_F(Sender, AnAddressThatIsNotAllowedIsNeverConnectedTo) {
  guard = outbound::Guard("10.9.8.7");
  start();
  const auto port = server->url().substr(server->url().rfind(':'));
  const auto literal = ended(1, server->url());
  const auto name = ended(2, "http://localhost" + port + "/");
  ASSERT_TRUE(settles(literal, 1));
  ASSERT_TRUE(settles(name, 1));
  for (const auto& job : {literal, name}) {
    EXPECT_EQ(history(job).delivery.state, DeliveryState::failed);
    EXPECT_NE(history(job).delivery.last_error.find("not public"), std::string::npos);
  }
  EXPECT_EQ(server->connections, 0);
}

TEST_F(Sender, AReceiverThatDoesNotAnswerInTimeHasFailedAndHoldsUpNobodyElse) {
  for (int i = 0; i < 12; ++i) server->scripts.emplace_back().hang();
  ScriptedServer quick(clock);
  quick.scripts.emplace_back().send(answer(200));
  start(300ms);
  std::vector<Job> slow;
  for (int i = 0; i < 12; ++i) slow.push_back(ended(i, server->url()));
  const auto fast = ended(100, quick.url());
  ASSERT_TRUE(settles(fast, 1));
  EXPECT_EQ(history(fast).delivery.state, DeliveryState::delivered);
  ASSERT_TRUE(settles(slow[0], 1));
  EXPECT_EQ(history(slow[0]).attempts[0].status, 0);
  EXPECT_EQ(history(slow[0]).attempts[0].error, "no whole answer came in time");
  ASSERT_TRUE(settles(slow[11], 1));
  EXPECT_LE(server->connections, 12);
  Nursery closing(clock);
  closing.start(close_server(quick));
  EXPECT_TRUE(run_until([&] { return closing.size() == 0; }));
}

TEST_F(Sender, AnAnswerWithoutAnEndIsCutAndItsStatusCounts) {
  server->scripts.emplace_back()
      .send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + std::string(100'000, 'x'))
      .hang();
  start(5s);
  const auto job = ended(1, server->url());
  ASSERT_TRUE(settles(job, 1));
  EXPECT_EQ(history(job).delivery.state, DeliveryState::delivered);
}

TEST_F(Sender, NoHostGetsMoreAtOnceThanItsBound) {
  for (int i = 0; i < 40; ++i) server->scripts.emplace_back().hang();
  for (int i = 0; i < 40; ++i) ended(i, server->url());
  start(10s);
  ASSERT_TRUE(run_until([&] { return server->requests.size() == webhooks_a_host; }));
  const Instant later = clock.now() + 600ms;
  run_until([&] { return clock.now() > later; });
  EXPECT_EQ(server->requests.size(), webhooks_a_host);
  EXPECT_EQ(counts.in_flight, webhooks_a_host);
}

TEST_F(Sender, WhatWasInHandWhenASenderDiedIsSentAgain) {
  const auto job = ended(1, server->url());
  ASSERT_EQ(get(outbox->claim({}, 10, 200ms))->size(), 1u);  // and gone
  server->scripts.emplace_back().send(answer(200));
  start();
  ASSERT_TRUE(settles(job, 1));
  EXPECT_EQ(history(job).delivery.state, DeliveryState::delivered);
  EXPECT_EQ(history(job).delivery.attempts, 2u);
}

TEST_F(Sender, NothingListeningIsToldInWords) {
  const auto nobody = server->url();
  Nursery closing(clock);
  closing.start(close_server(*server));
  ASSERT_TRUE(run_until([&] { return closing.size() == 0; }));
  server.reset();
  start();
  const auto job = ended(1, nobody);
  ASSERT_TRUE(settles(job, 1));
  EXPECT_EQ(history(job).delivery.state, DeliveryState::pending);
  EXPECT_NE(history(job).delivery.last_error, "");
  server = std::make_unique<ScriptedServer>(clock);
}

}  // namespace
}  // namespace millrace
