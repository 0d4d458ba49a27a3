#include "shared/sqlite/sqlite_dead_letters.h"

#include <gtest/gtest.h>

#include "shared/sqlite/database.h"
#include "shared/sqlite/dead_letter_table.h"
#include "tests/shared/sqlite/queue_world.h"

namespace millrace {
namespace {

class SqliteDeadLettersTest : public testing::Test {
 protected:
  struct Parts {
    QueueStage& stage;
    SqliteQueueProcess& process;
    JobQueue& queue;
    SqliteDeadLetters& letters;
  };
  void play(Task<> (*body)(Parts)) {
    QueueStage stage(world_, loop_.clock());
    SqliteQueueProcess process(world_.path());
    const auto queue = process.port(loop_.clock());
    SqliteDeadLetters letters(process.store(), process.queue(), loop_.clock(), random_);
    loop_.run_one(body({stage, process, *queue, letters}));
  }

  static Task<> die(JobQueue& queue, Job job, std::string reason) {
    const auto queued = co_await queue.enqueue(job);
    EXPECT_TRUE(queued);
    const auto got = co_await queue.next();
    const auto settled = co_await queue.settle(*got, Dead{std::move(reason)});
    EXPECT_TRUE(settled);
  }

  static Task<> all_again(Parts parts) {
    const std::vector<Job> jobs{parts.stage.job("session"), parts.stage.job()};
    for (const auto& job : jobs) co_await die(parts.queue, job, "no use");
    const auto sent = co_await parts.letters.redrive_unsent("default", 0);
    EXPECT_TRUE(sent && sent->sent.size() == 2 && sent->skipped == 0 && sent->next == 0);
    for (const auto& job : jobs) {
      const auto got = co_await parts.queue.next();
      EXPECT_NE(got->job.id, job.id);
      EXPECT_EQ(got->job.session, job.session);
      EXPECT_EQ(got->attempt, 1u);
      EXPECT_NE(got->job.metadata.find(job.id.str()), std::string::npos);
      const auto settled = co_await parts.queue.settle(*got, Done{});
      EXPECT_TRUE(settled);
    }
    const auto again = co_await parts.letters.redrive_unsent("default", 0);
    EXPECT_TRUE(again && again->sent.empty());
    EXPECT_EQ(parts.process.queue().waiting(), 0);
  }

  static Task<> one_again(Parts parts) {
    const Job job = parts.stage.job();
    co_await die(parts.queue, job, "no use");
    const auto first = co_await parts.letters.redrive("default", job.id);
    const auto second = co_await parts.letters.redrive("default", job.id);
    EXPECT_TRUE(first && second && first->id != second->id);
    const auto unknown = co_await parts.letters.redrive("default", first->id);
    EXPECT_EQ(unknown.error(), Errc::not_found);
    const auto listed = co_await parts.letters.list("default", 0, 10);
    EXPECT_EQ(listed->front().redriven_as, second->id);
    EXPECT_EQ(parts.process.queue().waiting(), 2);
  }

  static Task<> listed(Parts parts) {
    std::vector<Job> jobs;
    for (int i = 0; i < 5; ++i) {
      jobs.push_back(parts.stage.job());
      co_await die(parts.queue, jobs.back(), "reason " + std::to_string(i));
    }
    const auto first = co_await parts.letters.list("default", 0, 3);
    EXPECT_EQ(first->size(), 3u);
    EXPECT_EQ(first->front().job, jobs[4].id);
    EXPECT_EQ(first->front().reason, "reason 4");
    EXPECT_EQ(first->front().attempts, 1u);
    EXPECT_EQ(first->front().envelope, jobs[4].envelope);
    EXPECT_FALSE(first->front().redriven_as);
    const auto rest = co_await parts.letters.list("default", first->back().number, 3);
    EXPECT_EQ(rest->size(), 2u);
    EXPECT_EQ(rest->back().job, jobs[0].id);
  }

  static Task<> unreadable(Parts parts) {
    Job broken = parts.stage.job();
    broken.envelope = "{}";
    co_await die(parts.queue, broken, "not readable");
    co_await die(parts.queue, parts.stage.job(), "no use");
    const auto sent = co_await parts.letters.redrive_unsent("default", 0);
    EXPECT_TRUE(sent && sent->sent.size() == 1 && sent->skipped == 1);
    const auto one = co_await parts.letters.redrive("default", broken.id);
    EXPECT_EQ(one.error(), Errc::invalid);
  }

 private:
  TestLoop loop_;
  SqliteQueueWorld world_;
  SystemRandom random_;
};

TEST_F(SqliteDeadLettersTest, AllAreSentAgainOnceEachAsANewJob) {
  play(all_again);
}
TEST_F(SqliteDeadLettersTest, OneIsSentAgainAsOftenAsItIsAskedFor) {
  play(one_again);
}
TEST_F(SqliteDeadLettersTest, TheyAreListedNewestFirst) {
  play(listed);
}
TEST_F(SqliteDeadLettersTest, WhatNobodyCanReadStays) {
  play(unreadable);
}

TEST(SqliteDeadLetterTable, AMonthLaterALetterIsForgotten) {
  const TemporaryFolder folder;
  SystemRandom random;
  ASSERT_TRUE(migrate_store(folder.path("store.db"), random));
  auto database = sqlite::Database::open(folder.path("store.db"), sqlite::Database::Mode::write);
  sqlite::DeadLetterTable table(*database);
  DeadLetter letter;
  letter.died_at = WallTime(std::chrono::days(1));
  ASSERT_TRUE(table.add(letter, WallTime{}));
  letter.died_at = WallTime(std::chrono::days(32));
  ASSERT_TRUE(table.add(letter, letter.died_at - std::chrono::days(30)));
  EXPECT_EQ(table.list("default", 1000, 10)->size(), 1u);
}

}  // namespace
}  // namespace millrace
