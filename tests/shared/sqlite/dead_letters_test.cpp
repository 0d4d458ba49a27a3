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
    SqliteDeadLetters letters(process.store(), loop_.clock());
    loop_.run_one(body({stage, process, *queue, letters}));
  }

  static Task<> die(JobQueue& queue, Job job, std::string reason) {
    const auto queued = co_await queue.enqueue(job);
    EXPECT_TRUE(queued);
    const auto got = co_await queue.next();
    const auto settled = co_await queue.settle(*got, Dead{std::move(reason)});
    EXPECT_TRUE(settled);
  }

  static Task<> unsent(Parts parts) {
    const std::vector<Job> jobs{parts.stage.job("session"), parts.stage.job(), parts.stage.job()};
    for (const auto& job : jobs) co_await die(parts.queue, job, "no use");
    const auto noted = co_await parts.letters.note_redriven("default", jobs[1].id, again(1));
    EXPECT_TRUE(noted);
    const auto left = co_await parts.letters.unsent("default", 0);
    EXPECT_EQ(left->size(), 2u);
    EXPECT_EQ(left->front().job, jobs[0].id);
    EXPECT_EQ(left->back().job, jobs[2].id);
    const auto rest = co_await parts.letters.unsent("default", left->front().number);
    EXPECT_EQ(rest->size(), 1u);
    const auto others = co_await parts.letters.unsent("anna", 0);
    EXPECT_TRUE(others && others->empty());
  }

  static Task<> noted(Parts parts) {
    const Job job = parts.stage.job();
    co_await die(parts.queue, job, "no use");
    for (const int time : {1, 2}) {
      const auto noted = co_await parts.letters.note_redriven("default", job.id, again(time));
      EXPECT_TRUE(noted);
    }
    const auto anothers = co_await parts.letters.note_redriven("anna", job.id, again(3));
    EXPECT_TRUE(anothers);
    const auto listed = co_await parts.letters.list("default", 0, 10);
    EXPECT_EQ(listed->front().redriven_as, again(2));
  }

  /// The Store knows of the end before the queue buries the job.
  static Task<> noted_early(Parts parts) {
    const Job job = parts.stage.job();
    const auto queued = co_await parts.queue.enqueue(job);
    const auto got = co_await parts.queue.next();
    const auto store = parts.process.store().port(parts.stage.clock);
    Outcome failed;
    failed.error_message = "no";
    const auto ended = co_await store->finish(job, failed, nullptr);
    EXPECT_TRUE(queued && ended);
    const auto noted = co_await parts.letters.note_redriven("default", job.id, again(1));
    EXPECT_TRUE(noted);
    const auto settled = co_await parts.queue.settle(*got, Dead{"no use"});
    EXPECT_TRUE(settled);
    const auto listed = co_await parts.letters.list("default", 0, 10);
    EXPECT_EQ(listed->size(), 1u);
    EXPECT_EQ(listed->front().redriven_as, again(1));
    EXPECT_EQ(listed->front().reason, "no");
  }

  static Task<> without_words(Parts parts) {
    co_await die(parts.queue, parts.stage.job("", "a secret"), "no use");
    const auto listed = co_await parts.letters.list("default", 0, 10);
    EXPECT_EQ(listed->size(), 1u);
    const auto path = static_cast<SqliteQueueWorld&>(parts.stage.world).path();
    auto database = sqlite::Database::open(path, sqlite::Database::Mode::read);
    sqlite::Statement secrets("SELECT count(*) FROM dead_letters WHERE envelope LIKE '%secret%'");
    auto count = secrets.on(*database);
    EXPECT_TRUE(count.step());
    EXPECT_EQ(count.number(0), 0);
  }

  static JobId again(int time) { return derived_job_id("again", std::to_string(time)); }

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
    EXPECT_FALSE(first->front().redriven_as);
    const auto rest = co_await parts.letters.list("default", first->back().number, 3);
    EXPECT_EQ(rest->size(), 2u);
    EXPECT_EQ(rest->back().job, jobs[0].id);
  }

 private:
  TestLoop loop_;
  SqliteQueueWorld world_;
};

TEST_F(SqliteDeadLettersTest, ThoseNotSentBeforeAreGivenOldestFirst) {
  play(unsent);
}
TEST_F(SqliteDeadLettersTest, OfSeveralJobsThatDidTheWorkAgainTheLastIsNamed) {
  play(noted);
}
TEST_F(SqliteDeadLettersTest, OneThatWasSentAgainBeforeItsLetterCameIsNotSentAgain) {
  play(noted_early);
}
TEST_F(SqliteDeadLettersTest, ALetterHoldsNoWordOfWhatItsJobWasAsked) {
  play(without_words);
}
TEST_F(SqliteDeadLettersTest, TheyAreListedNewestFirst) {
  play(listed);
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
  letter.job = derived_job_id("another", "job");
  letter.died_at = WallTime(std::chrono::days(32));
  ASSERT_TRUE(table.add(letter, letter.died_at - std::chrono::days(30)));
  EXPECT_EQ(table.list("default", 1000, 10)->size(), 1u);
}

}  // namespace
}  // namespace millrace
