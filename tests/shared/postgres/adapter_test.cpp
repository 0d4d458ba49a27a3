#include <gtest/gtest.h>

#include <thread>

#include "shared/postgres/examination.h"
#include "shared/postgres/migrations.h"
#include "shared/postgres/postgres_store.h"
#include "shared/store_schema.h"
#include "tests/seams/store_commits_suite.h"
#include "tests/seams/store_jobs.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/postgres/free_port.h"
#include "tests/shared/postgres/test_database.h"

namespace millrace {
namespace {

class PostgresStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    if (test_server().empty())
      GTEST_SKIP() << "set MILLRACE_TEST_POSTGRES=postgres://…; ops/servers.py FOLDER starts one";
    database = std::make_unique<TestDatabase>();
    url = database->url();
  }
  /// Ends every connection of the stores that were given this URL.
  void end_connections(const std::string& name) {
    database->ask(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name = '" +
        name + "'");
  }
  /// Keeps all writers of jobs waiting for so long.
  std::thread hold_table(std::string seconds) {
    return std::thread([this, seconds] {
      database->ask("DO $$ BEGIN LOCK TABLE jobs IN EXCLUSIVE MODE; PERFORM pg_sleep(" + seconds +
                    "); END $$");
    });
  }
  bool until_held() {
    for (int tries = 0; tries < 500; ++tries) {
      if (database->ask("SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
                        " JOIN pg_namespace ON pg_namespace.oid = relnamespace"
                        " WHERE mode = 'ExclusiveLock' AND nspname = '" +
                        database->schema() + "'") != "0")
        return true;
    }
    return false;
  }

  std::unique_ptr<TestDatabase> database;
  std::string url;
  SystemRandom random;
  TestLoop loop;
};

struct PostgresPlace {
  using Kind = PostgresStore;
  static std::string missing() {
    return test_server().empty() ? "set MILLRACE_TEST_POSTGRES=postgres://…" : "";
  }
  std::string url() const { return database.url(); }
  TestDatabase database;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Postgres, StoreCommitsSuite, PostgresPlace);

TEST_F(PostgresStoreTest, NotesBeyondTheBoundAreRefusedAndReadsDoNotWaitForAWriteThatIsStuck) {
  PostgresStore store(url, random);
  const auto port = store.port(loop.clock());
  loop.run_one(finish_one(*port, numbered_job(1)));
  auto holder = hold_table("2");
  ASSERT_TRUE(until_held());
  const auto begun = loop.get(port->begin(numbered_job(1), 2));
  EXPECT_TRUE(begun && begun->job.state == JobState::succeeded);
  EXPECT_TRUE(loop.get(port->list({})));
  auto large = numbered_job(2);
  large.envelope.assign(1024 * 1024, 'x');
  Result<> noted;
  int taken = 0;
  for (; noted && taken < 1000; ++taken) noted = port->note_accepted(large, "print");
  EXPECT_EQ(noted.error(), Errc::overloaded);
  EXPECT_EQ(loop.get(port->begin(numbered_job(3), 1)).error(), Errc::overloaded);
  EXPECT_TRUE(loop.get(port->find("default", numbered_job(1).id)));
  holder.join();
}

Task<> finish_into(Store& store, Job job, Outcome outcome, Result<Finished>& result) {
  result = co_await store.finish(job, outcome, nullptr);
}

TEST_F(PostgresStoreTest, ACallThatCannotBeStoredHurtsNoOtherOfItsBatch) {
  PostgresStore store(url, random);
  const auto port = store.port(loop.clock());
  std::vector<Result<Finished>> results(20, Failure(Errc::unavailable));
  std::vector<Task<>> tasks;
  for (int i = 0; i < 20; ++i) {
    auto outcome = numbered_outcome(i);
    if (i == 7) outcome.text = "\xff\xfe are no UTF-8";
    tasks.push_back(
        finish_into(*port, numbered_job(i), outcome, results[static_cast<std::size_t>(i)]));
  }
  loop.run(std::move(tasks));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (i == 7)
      EXPECT_EQ(results[i].error(), Errc::invalid);
    else
      EXPECT_TRUE(results[i] && results[i]->first) << i;
  }
  EXPECT_TRUE(store.healthy());
}

TEST_F(PostgresStoreTest, ProcessesThatEndTheSameJobsInEveryOrderDoNotBlockEachOther) {
  constexpr int jobs = 200;
  std::vector<int> firsts(3);
  std::vector<std::thread> processes;
  for (std::size_t number = 0; number < firsts.size(); ++number)
    processes.emplace_back([this, number, &first = firsts[number]] {
      SystemRandom own_random;
      TestLoop own;
      PostgresStore store(url, own_random);
      const auto port = store.port(own.clock());
      std::vector<Result<Finished>> results(jobs, Failure(Errc::unavailable));
      std::vector<Task<>> tasks;
      for (int i = 0; i < jobs; ++i) {
        const int job = number == 0 ? i : number == 1 ? jobs - 1 - i : i * 77 % jobs;
        tasks.push_back(finish_into(*port, numbered_job(job), numbered_outcome(0),
                                    results[static_cast<std::size_t>(i)]));
      }
      own.run(std::move(tasks));
      for (const auto& result : results) {
        EXPECT_TRUE(result);
        first += result && result->first ? 1 : 0;
      }
    });
  for (auto& process : processes) process.join();
  EXPECT_EQ(firsts[0] + firsts[1] + firsts[2], jobs);
}

TEST_F(PostgresStoreTest, ConnectionsThatAnAdministratorEndsAreReplaced) {
  const std::string name = database->schema();
  PostgresStore store(url + "&application_name=" + name, random);
  const auto port = store.port(loop.clock());
  loop.run_one(finish_one(*port, numbered_job(1)));
  end_connections(name);
  for (int tries = 0;; ++tries) {
    const auto finished = loop.get(port->finish(numbered_job(2), numbered_outcome(2), nullptr));
    if (finished) break;
    EXPECT_TRUE(retryable(finished.error()));
    ASSERT_LT(tries, 1000);
    loop.run_one(loop.clock().sleep_for(5ms));
  }
  EXPECT_TRUE(store.healthy());
  for (const int number : {1, 2}) EXPECT_TRUE(loop.get(port->find_noted(numbered_job(number).id)));
}

TEST_F(PostgresStoreTest, OldJobsGoWithTheirStepsAndYoungerOnesStay) {
  PostgresStore store(url, random);
  const auto port = store.port(loop.clock());
  std::vector<Task<>> tasks;
  for (int i = 0; i < 600; ++i) tasks.push_back(finish_one(*port, numbered_job(i)));
  loop.run(std::move(tasks));
  const Step last{.index = 0, .kind = "llm_turn", .input_hash = "h", .output = "o"};
  ASSERT_TRUE(loop.get(port->finish(numbered_job(700), numbered_outcome(0), &last)));
  ASSERT_TRUE(loop.get(port->finish(numbered_job(701), numbered_outcome(0), &last)));
  database->ask("UPDATE jobs SET ended_at = 5 WHERE id <> decode('" +
                to_hex({reinterpret_cast<const char*>(numbered_job(701).id.bytes.data()), 16}) +
                "', 'hex')");
  struct Until {
    static Task<> gone(Clock& clock, PostgresStore& store, const TestDatabase& database) {
      Nursery nursery(clock);
      nursery.start(store.remove_old_jobs(clock, 24h));
      while (database.ask("SELECT count(*) FROM jobs") != "1") co_await clock.sleep_for(5ms);
      nursery.stop();
      co_await nursery.join();
    }
  };
  loop.run_one(Until::gone(loop.clock(), store, *database));
  EXPECT_TRUE(loop.get(port->find("default", numbered_job(701).id)));
  EXPECT_EQ(database->ask("SELECT count(*) FROM steps"), "1");
}

TEST_F(PostgresStoreTest, ManyThatMigrateAtOnceMakeOneStore) {
  std::vector<postgres::Told<postgres::Standing>> made(8);
  std::vector<std::thread> processes;
  for (auto& mine : made)
    processes.emplace_back([this, &mine] {
      SystemRandom own_random;
      mine = postgres::migrate(url, own_random);
    });
  for (auto& process : processes) process.join();
  for (const auto& one : made) {
    ASSERT_TRUE(one) << one.error();
    EXPECT_EQ(one->version, migrations().back().version);
    EXPECT_EQ(one->id, made[0]->id);
  }
  EXPECT_EQ(made[0]->id.size(), 32u);
  EXPECT_EQ(database->ask("SELECT count(*) FROM schema_version"),
            std::to_string(migrations().size()));
}

TEST_F(PostgresStoreTest, AStoreOfAnOlderBuildIsBroughtUpAndOfANewerOneIsUsed) {
  ASSERT_TRUE(postgres::migrate(url, random));
  database->ask("DROP INDEX jobs_by_end, jobs_live");
  database->ask("DROP VIEW chat_history");
  database->ask("DROP TABLE sessions, messages, api_keys");
  database->ask("DROP TABLE webhook_deliveries, webhook_attempts, webhook_secrets");
  database->ask("ALTER TABLE jobs DROP COLUMN tool_calls, DROP COLUMN asides, DROP COLUMN unkept");
  database->ask("DELETE FROM schema_version WHERE version >= 3");
  EXPECT_EQ(postgres::migrate_store(url, random), migrations().back().version);
  EXPECT_EQ(database->ask("SELECT count(*) FROM pg_indexes WHERE indexname = 'jobs_by_end'"
                          " AND schemaname = current_schema()"),
            "1");
  database->ask("INSERT INTO schema_version VALUES (999, 'from the future')");
  database->ask("ALTER TABLE jobs ADD COLUMN novelty TEXT");
  EXPECT_EQ(postgres::migrate_store(url, random), 999);
  PostgresStore store(url, random);
  const auto port = store.port(loop.clock());
  loop.run_one(finish_one(*port, numbered_job(1)));
}

TEST_F(PostgresStoreTest, WhoMayOnlyReadAndWriteRowsCanUseWhatWasMigrated) {
  ASSERT_TRUE(postgres::migrate(url, random));
  const std::string user = "u" + database->schema();
  database->ask("CREATE ROLE " + user + " LOGIN");
  database->ask("GRANT USAGE ON SCHEMA " + database->schema() + " TO " + user);
  database->ask("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " +
                database->schema() + " TO " + user);
  std::string as_user = url;
  as_user.replace(as_user.find("postgres@"), 8, user);
  {
    PostgresStore store(as_user, random);
    const auto port = store.port(loop.clock());
    loop.run_one(finish_one(*port, numbered_job(1)));
  }
  database->ask("DROP OWNED BY " + user);
  database->ask("DROP ROLE " + user);
}

TEST_F(PostgresStoreTest, AServerThatIsNotThereIsNamedWithoutThePassword) {
  const auto nowhere = "postgres://me:hush@127.0.0.1:" + std::to_string(free_port()) + "/db";
  const auto found = postgres::examine(nowhere);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().find("hush"), std::string::npos);
  const auto refused = postgres::migrate(nowhere, random, 0s);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().find("me:****@127.0.0.1"), std::string::npos) << refused.error();
  EXPECT_EQ(refused.error().find("hush"), std::string::npos);
}

TEST_F(PostgresStoreTest, ADatabaseThatCannotKeepEveryTextIsRefused) {
  const std::string name = "d" + database->schema();
  database->ask("CREATE DATABASE " + name + " ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'");
  std::string other = test_server();
  other.replace(other.rfind('/') + 1, std::string::npos, name);
  const auto found = postgres::examine(other);
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().find("UTF8"), std::string::npos) << found.error();
  database->ask("DROP DATABASE " + name);
}

TEST_F(PostgresStoreTest, AnExaminationTellsWhatStands) {
  const auto empty = postgres::examine(url);
  ASSERT_TRUE(empty) << empty.error();
  EXPECT_EQ(empty->version, 0);
  EXPECT_EQ(empty->id, "");
  const PostgresStore store(url, random);
  const auto found = postgres::examine(url);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->version, found->newest);
  EXPECT_EQ(found->id, store.id());
  EXPECT_FALSE(found->standby);
  EXPECT_TRUE(found->syncs);
  EXPECT_GT(found->connections_left, 0);
}

TEST(PostgresValues, AColumnKeepsEveryByteOfAText) {
  for (const std::string& text :
       {std::string(), std::string("한글 'x' \\ \n"), std::string("\0", 1), std::string("\x01"),
        std::string("a\0b\x01\x01"
                    "0\0",
                    8)}) {
    const auto column = postgres::to_column(text);
    EXPECT_EQ(column.find('\0'), std::string::npos);
    EXPECT_EQ(postgres::from_column(column), text);
  }
  EXPECT_EQ(postgres::to_column("plain"), "plain");
}

}  // namespace
}  // namespace millrace
