#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "shared/store.h"
#include "shared/webhooks.h"
#include "tests/seams/test_loop.h"

/// What every Store promises of webhooks. An adapter's test program includes this file once and
/// adds `INSTANTIATE_TEST_SUITE_P(Name, WebhooksSuite, testing::Values(make_world))`.
namespace millrace {

/// One truth, empty at first.
class WebhooksWorld {
 public:
  virtual ~WebhooksWorld() = default;
  virtual std::unique_ptr<Store> store(Clock& clock) = 0;
  virtual std::unique_ptr<Webhooks> webhooks(Clock& clock) = 0;
  /// Removes what ended more than `kept` ago, until cancelled.
  virtual Task<> remove_old_jobs(Clock& clock, Duration kept) = 0;
};

using MakeWebhooksWorld = std::unique_ptr<WebhooksWorld> (*)();

class WebhooksSuite : public testing::TestWithParam<MakeWebhooksWorld> {
 protected:
  static Job job(int number, const std::string& url = hook) {
    Job made;
    made.id.bytes = {0x01, 0x90, 9, 9, 9, 9, 0x70, 0, 0x80};
    made.id.bytes[14] = static_cast<std::uint8_t>(number >> 8);
    made.id.bytes[15] = static_cast<std::uint8_t>(number);
    made.created_at = WallTime(std::chrono::milliseconds(1'767'225'600'000 + number));
    made.deadline = made.created_at + std::chrono::hours(24);
    made.envelope = "{}";
    if (!url.empty()) made.envelope = R"({"webhook":{"url":")" + url + R"("}})";
    return made;
  }
  static Outcome ended(JobState state) {
    Outcome outcome;
    outcome.state = state;
    return outcome;
  }
  void finish(const Job& job, JobState state = JobState::succeeded) {
    ASSERT_TRUE(loop.get(store->finish(job, ended(state), nullptr)));
  }
  std::vector<WebhookTurn> claimed(std::uint32_t most = 100, std::vector<std::string> but = {},
                                   Duration lease = 1h) {
    auto turns = loop.get(outbox->claim(std::move(but), most, lease));
    EXPECT_TRUE(turns);
    return turns ? *turns : std::vector<WebhookTurn>();
  }
  void settle(const WebhookTurn& turn, int status, std::string error, WebhookResult result) {
    const WebhookAttempt attempt{.number = turn.number,
                                 .at = loop.clock().wall(),
                                 .took = 12ms,
                                 .status = status,
                                 .error = std::move(error)};
    ASSERT_TRUE(loop.get(outbox->settle(turn, attempt, result)));
  }
  WebhookResult again_in(Duration time) {
    return {.state = DeliveryState::pending,
            .next_at =
                loop.clock().wall() + std::chrono::duration_cast<std::chrono::milliseconds>(time)};
  }
  static WebhookResult over(DeliveryState state) { return {.state = state, .next_at = {}}; }
  Result<WebhookHistory> found(const Job& job, std::string_view tenant = "default") {
    return loop.get(outbox->find(tenant, job.id));
  }
  std::vector<JobId> listed(const DeliveryFilter& filter) {
    const auto deliveries = loop.get(outbox->list(filter));
    EXPECT_TRUE(deliveries);
    std::vector<JobId> ids;
    if (deliveries)
      for (const auto& one : *deliveries) ids.push_back(one.job);
    return ids;
  }

  static constexpr const char* hook = "https://example.com/hook";
  TestLoop loop;
  std::unique_ptr<WebhooksWorld> world = GetParam()();
  std::unique_ptr<Store> store = world->store(loop.clock());
  std::unique_ptr<Webhooks> outbox = world->webhooks(loop.clock());
};

TEST_P(WebhooksSuite, TheEndOfAJobMakesOneDeliveryHoweverOftenItIsEnded) {
  ASSERT_TRUE(loop.get(store->begin(job(1), 1)));
  EXPECT_EQ(found(job(1)).error(), Errc::not_found) << "it has not ended";
  finish(job(1), JobState::failed);
  finish(job(1), JobState::cancelled);
  ASSERT_TRUE(loop.get(store->begin(job(1), 2)));
  const auto history = found(job(1));
  ASSERT_TRUE(history);
  const auto& delivery = history->delivery;
  EXPECT_EQ(delivery.job, job(1).id);
  EXPECT_EQ(delivery.tenant, "default");
  EXPECT_EQ(delivery.url, hook);
  EXPECT_EQ(delivery.ended_as, JobState::failed);
  EXPECT_EQ(delivery.state, DeliveryState::pending);
  EXPECT_EQ(delivery.attempts, 0u);
  EXPECT_TRUE(delivery.next_at);
  EXPECT_FALSE(delivery.settled_at);
  EXPECT_TRUE(history->attempts.empty());
  EXPECT_EQ(delivery.created_at, loop.get(store->find("default", job(1).id))->ended_at);
  EXPECT_EQ(loop.get(outbox->pending()).value(), 1u);
}

TEST_P(WebhooksSuite, AJobWithoutAWebhookOrOfAnotherEndMakesNone) {
  finish(job(1, ""));
  const Webhook failures{hook, end_bit(JobState::failed) | end_bit(JobState::expired)};
  for (int i : {2, 3}) {
    auto only_failures = job(i);
    only_failures.envelope = R"({"webhook":)";
    append_webhook(only_failures.envelope, failures);
    only_failures.envelope += "}";
    finish(only_failures, i == 2 ? JobState::succeeded : JobState::expired);
  }
  EXPECT_EQ(listed({}), (std::vector{job(3).id}));
}

TEST_P(WebhooksSuite, WhoKnowsTheWebhookMakesUpForWhoeverEndedTheJobWithoutKnowing) {
  for (int i : {1, 2, 3}) finish(job(i, ""), JobState::cancelled);
  EXPECT_EQ(listed({}), std::vector<JobId>{});
  ASSERT_TRUE(loop.get(store->begin(job(1), 1)));
  ASSERT_TRUE(store->note_accepted(job(2), "print"));
  finish(job(3));
  EXPECT_EQ(found(job(2)).has_value() ? 0 : 1, 0) << "a later read sees what was noted before";
  EXPECT_EQ(listed({}).size(), 3u);
  EXPECT_EQ(found(job(3))->delivery.ended_as, JobState::cancelled);
}

TEST_P(WebhooksSuite, AClaimIsOnesAloneUntilItsLeaseEnds) {
  for (int i = 0; i < 3; ++i) finish(job(i));
  EXPECT_EQ(claimed(2, {}, 100ms).size(), 2u);
  const auto third = claimed(10, {}, 1h);
  ASSERT_EQ(third.size(), 1u);
  EXPECT_EQ(third[0].number, 1u);
  EXPECT_EQ(third[0].tries, 1u);
  EXPECT_EQ(third[0].host, "example.com");
  EXPECT_EQ(third[0].url, hook);
  EXPECT_TRUE(claimed().empty());
  loop.run_one(loop.clock().sleep_for(120ms));
  const auto again = claimed();
  ASSERT_EQ(again.size(), 2u) << "whoever had them has gone";
  EXPECT_EQ(again[0].number, 2u);
  EXPECT_EQ(found(job(0))->delivery.state, DeliveryState::pending);
}

TEST_P(WebhooksSuite, BehindABusyHostTheLongestDueComeFirst) {
  const std::vector<std::string> hosts = {"busy", "a", "c", "busy", "b", "c", "a"};
  for (int i = 0; i < std::ssize(hosts); ++i) {
    finish(job(i, "http://" + hosts[static_cast<std::size_t>(i)] + ".example/"));
    loop.run_one(loop.clock().sleep_for(2ms));
  }
  std::vector<JobId> seen;
  for (const std::uint32_t most : {1u, 3u, 3u})
    for (const auto& turn : claimed(most, {"busy.example", "other"})) seen.push_back(turn.job);
  EXPECT_EQ(seen.size(), 5u);
  EXPECT_TRUE(std::ranges::is_sorted(seen)) << "their numbers rise with their ends";
}

TEST_P(WebhooksSuite, AHostThatHasEnoughIsLeftOut) {
  finish(job(1, "http://Busy.example:81/a"));
  finish(job(2, "http://free.example/b"));
  finish(job(3, "http://busy.example:81/c"));
  const auto turns = claimed(10, {"busy.example:81", "other"});
  ASSERT_EQ(turns.size(), 1u);
  EXPECT_EQ(turns[0].job, job(2).id);
  EXPECT_EQ(claimed().size(), 2u);
}

TEST_P(WebhooksSuite, AnAttemptIsNotedAndTheNextIsDueWhenItWasSaid) {
  finish(job(1));
  auto turns = claimed();
  ASSERT_EQ(turns.size(), 1u);
  settle(turns[0], 500, "답이 500", again_in(50ms));
  EXPECT_TRUE(claimed().empty());
  auto delivery = found(job(1))->delivery;
  EXPECT_EQ(delivery.last_status, 500);
  EXPECT_EQ(delivery.last_error, "답이 500");
  EXPECT_EQ(delivery.attempts, 1u);
  loop.run_one(loop.clock().sleep_for(60ms));
  turns = claimed();
  ASSERT_EQ(turns.size(), 1u);
  EXPECT_EQ(turns[0].tries, 2u);
  settle(turns[0], 204, "", over(DeliveryState::delivered));
  const auto history = found(job(1));
  ASSERT_TRUE(history);
  EXPECT_EQ(history->delivery.state, DeliveryState::delivered);
  EXPECT_TRUE(history->delivery.settled_at);
  EXPECT_FALSE(history->delivery.next_at);
  EXPECT_EQ(history->delivery.last_error, "");
  ASSERT_EQ(history->attempts.size(), 2u);
  EXPECT_EQ(history->attempts[0].number, 2u);
  EXPECT_EQ(history->attempts[0].status, 204);
  EXPECT_EQ(history->attempts[1].error, "답이 500");
  EXPECT_EQ(history->attempts[1].took, 12ms);
  EXPECT_EQ(loop.get(outbox->pending()).value(), 0u);
}

TEST_P(WebhooksSuite, ATurnThatWasOvertakenDecidesNothing) {
  finish(job(1));
  const auto late = claimed(1, {}, 1ms);
  loop.run_one(loop.clock().sleep_for(10ms));
  const auto next = claimed();
  ASSERT_EQ(next.size(), 1u);
  settle(late.at(0), 410, "gone", over(DeliveryState::failed));
  EXPECT_EQ(found(job(1))->delivery.state, DeliveryState::pending);
  settle(next[0], 200, "", over(DeliveryState::delivered));
  EXPECT_EQ(found(job(1))->delivery.state, DeliveryState::delivered);
  EXPECT_EQ(found(job(1))->attempts.size(), 2u) << "it was made all the same";
}

TEST_P(WebhooksSuite, ADeliveryThatIsOverIsDueAgainWhenAskedFor) {
  finish(job(1));
  const auto first = claimed();
  settle(first.at(0), 0, "no answer", over(DeliveryState::failed));
  const auto again = loop.get(outbox->redeliver("default", job(1).id));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->state, DeliveryState::pending);
  EXPECT_FALSE(again->settled_at);
  const auto turns = claimed();
  ASSERT_EQ(turns.size(), 1u);
  EXPECT_EQ(turns[0].number, 2u) << "attempts go on to be counted";
  EXPECT_EQ(turns[0].tries, 1u) << "retries begin anew";
  EXPECT_GE(turns[0].queued_at, first[0].queued_at);
}

TEST_P(WebhooksSuite, AnUnknownDeliveryAndAnotherTenantsAreNotFoundAlike) {
  auto foreign = job(1);
  foreign.tenant = "other";
  finish(foreign);
  finish(job(3, ""));
  for (const auto& one : {job(1), job(2), job(3)}) {
    EXPECT_EQ(found(one).error(), Errc::not_found);
    EXPECT_EQ(loop.get(outbox->redeliver("default", one.id)).error(), Errc::not_found);
    DeliveryFilter page;
    page.after = one.id;
    EXPECT_EQ(loop.get(outbox->list(page)).error(), Errc::not_found);
  }
  EXPECT_EQ(listed({}), std::vector<JobId>{});
  EXPECT_TRUE(found(foreign, "other"));
  EXPECT_EQ(claimed().at(0).tenant, "other");
}

TEST_P(WebhooksSuite, ListsGoFromTheNewestToTheOldestPageByPageAndKeepToTheirFilters) {
  for (int i = 1; i <= 4; ++i) {
    finish(job(i));
    loop.run_one(loop.clock().sleep_for(2ms));
  }
  for (const auto& turn : claimed(2)) settle(turn, 200, "", over(DeliveryState::delivered));
  DeliveryFilter page;
  page.limit = 3;
  EXPECT_EQ(listed(page), (std::vector{job(4).id, job(3).id, job(2).id}));
  page.after = job(2).id;
  EXPECT_EQ(listed(page), (std::vector{job(1).id}));
  DeliveryFilter delivered;
  delivered.state = DeliveryState::delivered;
  EXPECT_EQ(listed(delivered), (std::vector{job(2).id, job(1).id}));
  delivered.after = job(2).id;
  EXPECT_EQ(listed(delivered), (std::vector{job(1).id}));
  DeliveryFilter one;
  one.job = job(3).id;
  EXPECT_EQ(listed(one), (std::vector{job(3).id}));
}

TEST_P(WebhooksSuite, ASecretIsMadeOnceATenantAndTheOldOneGoesOnForADay) {
  const auto first = loop.get(outbox->secrets("default"));
  ASSERT_TRUE(first && first->size() == 1);
  EXPECT_TRUE(first->at(0).starts_with("whsec_"));
  EXPECT_EQ(first->at(0).size(), 6u + 32);
  EXPECT_EQ(loop.get(outbox->secrets("default")).value(), *first);
  EXPECT_NE(loop.get(outbox->secrets("other")).value(), *first);
  const auto second = loop.get(outbox->rotate("default"));
  ASSERT_TRUE(second && second->size() == 2);
  EXPECT_EQ(second->at(1), first->at(0));
  EXPECT_EQ(loop.get(outbox->secrets("default")).value(), *second);
  const auto third = loop.get(outbox->rotate("default"));
  ASSERT_TRUE(third && third->size() == 2);
  EXPECT_EQ(third->at(1), second->at(0));
  EXPECT_EQ(loop.get(outbox->rotate("never asked")).value().size(), 1u);
}

TEST_P(WebhooksSuite, AttemptsAreKeptUpToABound) {
  finish(job(1));
  for (std::uint32_t i = 0; i < WebhookHistory::attempts_kept + 3; ++i)
    settle(claimed().at(0), 500, "", again_in(-1ms));
  const auto history = found(job(1));
  ASSERT_TRUE(history);
  EXPECT_EQ(history->delivery.attempts, WebhookHistory::attempts_kept + 3);
  EXPECT_EQ(history->attempts.size(), WebhookHistory::attempts_kept);
  EXPECT_EQ(history->attempts.back().number, 4u);
}

namespace webhooks_suite {
inline Task<> until_gone(Clock& clock, Webhooks& outbox, JobId job, Task<> removing) {
  Nursery nursery(clock);
  nursery.start(std::move(removing));
  for (bool there = true; there;) {
    const auto found = co_await outbox.find("default", job);
    there = found.has_value();
    co_await clock.sleep_for(1ms);
  }
  nursery.stop();
  co_await nursery.join();
}
}  // namespace webhooks_suite

TEST_P(WebhooksSuite, ADeliveryGoesWithItsJob) {
  finish(job(1));
  settle(claimed().at(0), 200, "", over(DeliveryState::delivered));
  loop.run_one(loop.clock().sleep_for(5ms));
  loop.run_one(webhooks_suite::until_gone(loop.clock(), *outbox, job(1).id,
                                          world->remove_old_jobs(loop.clock(), 1ms)));
  EXPECT_EQ(listed({}), std::vector<JobId>{});
  finish(job(1, ""));
  finish(job(1));
  EXPECT_TRUE(found(job(1))->attempts.empty()) << "nothing was left of its attempts";
}

TEST_P(WebhooksSuite, ManySendersTakeEachDeliveryOnce) {
  for (int i = 0; i < 200; ++i) finish(job(i));
  std::vector<std::vector<WebhookTurn>> taken(3);
  std::vector<std::thread> senders;
  for (auto& mine : taken)
    senders.emplace_back([this, &mine] {
      TestLoop own;
      const auto port = world->webhooks(own.clock());
      for (int i = 0; i < 12; ++i) {
        const auto turns = own.get(port->claim({}, 7, 1h));
        ASSERT_TRUE(turns);
        mine.insert(mine.end(), turns->begin(), turns->end());
      }
    });
  for (auto& sender : senders) sender.join();
  std::set<JobId> jobs;
  std::size_t turns = 0;
  for (const auto& mine : taken) {
    turns += mine.size();
    for (const auto& turn : mine) jobs.insert(turn.job);
  }
  EXPECT_EQ(turns, 200u);
  EXPECT_EQ(jobs.size(), 200u);
}

}  // namespace millrace
