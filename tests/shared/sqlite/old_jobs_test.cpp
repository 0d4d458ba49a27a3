#include "shared/sqlite/old_jobs.h"

#include "shared/sqlite/sqlite_store.h"
#include "shared/sqlite/tables.h"
#include "tests/seams/store_jobs.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/sqlite/temporary_folder.h"

namespace millrace {
namespace {

using namespace std::chrono_literals;

WallTime day(int number) {
  return WallTime(1'767'225'600'000ms) + number * 24h;
}

Step step(std::uint32_t index) {
  return {.index = index, .kind = "llm_turn", .input_hash = "h", .output = "o"};
}

class OldJobs : public testing::Test {
 protected:
  /// Jobs of these numbers, each with two steps.
  void end_on(WallTime when, int from, int to, const Outcome& outcome = numbered_outcome(0)) {
    ASSERT_TRUE(database.run("BEGIN IMMEDIATE"));
    for (int number = from; number < to; ++number) {
      const Job job = numbered_job(number);
      const Step first = step(0);
      const Step last = step(1);
      ASSERT_TRUE(tables.jobs.begin(JobRow(job, ""), 1, when));
      ASSERT_TRUE(tables.jobs.save_step(job.id, first));
      ASSERT_TRUE(tables.jobs.finish(JobRow(job, ""), outcome, {}, &last, when));
    }
    ASSERT_TRUE(database.run("COMMIT"));
  }
  sqlite::OldJobs::Removed remove(WallTime ended_before) {
    EXPECT_TRUE(database.run("BEGIN IMMEDIATE"));
    const auto removed = tables.old_jobs.remove(ended_before);
    EXPECT_TRUE(database.run("COMMIT"));
    return removed.value();
  }
  bool there(int number) { return tables.jobs.find(numbered_job(number).id).has_value(); }
  std::int64_t count(const char* sql) {
    sqlite::Statement statement(sql);
    auto query = statement.on(database);
    EXPECT_TRUE(query.step());
    return query.number(0);
  }

  TemporaryFolder folder;
  std::string path = folder.path("store.db");
  SystemRandom random;
  SqliteStore store{path, random};
  sqlite::Database database =
      std::move(*sqlite::Database::open(path, sqlite::Database::Mode::write));
  sqlite::Tables tables{database};
};

TEST_F(OldJobs, GoWithTheirStepsAndYoungerOnesStay) {
  end_on(day(0), 0, 3);
  end_on(day(5), 3, 6);
  const auto removed = remove(day(5));
  EXPECT_EQ(removed.jobs, 3u);
  EXPECT_FALSE(removed.more);
  for (int number = 0; number < 6; ++number) EXPECT_EQ(there(number), number >= 3) << number;
  EXPECT_EQ(count("SELECT count(*) FROM steps"), 6);
  EXPECT_EQ(remove(day(5) + 1ms).jobs, 3u);
  EXPECT_EQ(count("SELECT count(*) FROM steps"), 0);
}

TEST_F(OldJobs, AreCountedFromTheirEndHoweverLongTheyRan) {
  Job job = numbered_job(1);
  ASSERT_TRUE(tables.jobs.begin(JobRow(job, ""), 1, day(0)));
  EXPECT_EQ(remove(day(100)).jobs, 0u);
  ASSERT_TRUE(tables.jobs.finish(JobRow(job, ""), numbered_outcome(1), {}, nullptr, day(50)));
  EXPECT_EQ(remove(day(50)).jobs, 0u);
  EXPECT_EQ(remove(day(51)).jobs, 1u);
}

TEST_F(OldJobs, GoTheOldestFirstInBatchesThatHoldUpNobody) {
  end_on(day(1), 50, 100);
  end_on(day(0), 0, 50);
  const auto first = remove(day(9));
  EXPECT_TRUE(first.more);
  EXPECT_LE(first.jobs, 50u);
  for (int number = 50; number < 100; ++number) EXPECT_TRUE(there(number));
  std::size_t jobs = first.jobs;
  for (bool more = true; more;) {
    const auto removed = remove(day(9));
    jobs += removed.jobs;
    more = removed.more;
  }
  EXPECT_EQ(jobs, 100u);
  EXPECT_EQ(count("SELECT count(*) FROM jobs"), 0);
}

TEST_F(OldJobs, WithLongAnswersGoFewerAtATime) {
  Outcome outcome = numbered_outcome(0);
  outcome.text.assign(1024 * 1024, 'x');
  end_on(day(0), 0, 10, outcome);
  EXPECT_LE(remove(day(1)).jobs, 3u);
}

TEST_F(OldJobs, AreFoundByAnIndex) {
  sqlite::Statement plan(
      "EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE ended_at IS NOT NULL AND ended_at < 5"
      " ORDER BY ended_at LIMIT 1");
  auto query = plan.on(database);
  ASSERT_TRUE(query.step().value());
  EXPECT_NE(query.text(3).find("jobs_by_end"), std::string::npos) << query.text(3);
}

TEST_F(OldJobs, AreRemovedByTheStoreWhileItTakesOthers) {
  end_on(day(0), 0, 200);
  TestLoop loop;
  const auto port = store.port(loop.clock());
  loop.run_one(finish_one(*port, numbered_job(1000)));
  struct Until {
    static Task<> gone(Clock& clock, Store& port, SqliteStore& store) {
      Nursery nursery(clock);
      nursery.start(store.remove_old_jobs(clock, 24h));
      JobFilter all;
      all.limit = 1000;
      for (bool there = true; there;) {
        const auto oldest = co_await port.list(all);
        there = oldest.value().size() > 1;
        EXPECT_TRUE(co_await port.save_step(numbered_job(2000).id, step(0)));
      }
      nursery.stop();
      co_await nursery.join();
    }
  };
  loop.run_one(Until::gone(loop.clock(), *port, store));
  EXPECT_TRUE(there(1000));
}

}  // namespace
}  // namespace millrace
