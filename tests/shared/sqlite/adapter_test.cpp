#include <gtest/gtest.h>

#include <fstream>

#include "shared/sqlite/database.h"
#include "shared/sqlite/database_url.h"
#include "shared/sqlite/migrations.h"
#include "shared/sqlite/sqlite_store.h"
#include "shared/store_schema.h"
#include "tests/seams/store_commits_suite.h"
#include "tests/seams/store_jobs.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/sqlite/temporary_folder.h"

namespace millrace {
namespace {

using sqlite::Database;

class SqliteStoreTest : public testing::Test {
 protected:
  TemporaryFolder folder;
  std::string path = folder.path("store.db");
  SystemRandom random;
  TestLoop loop;
};

struct SqlitePlace {
  using Kind = SqliteStore;
  static std::string missing() { return {}; }
  std::string url() const { return folder.path("store.db"); }
  TemporaryFolder folder;
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreCommitsSuite, SqlitePlace);

TEST_F(SqliteStoreTest, NotesBeyondTheBoundAreRefused) {
  SqliteStore store(path, random);
  const auto port = store.port(loop.clock());
  // Nothing can be written while another process holds the lock.
  auto holder = Database::open(path, Database::Mode::write);
  ASSERT_TRUE(holder && holder->run("BEGIN IMMEDIATE"));
  auto large = numbered_job(1);
  large.envelope.assign(1024 * 1024, 'x');
  Result<> noted;
  int taken = 0;
  for (; noted && taken < 1000; ++taken) noted = port->note_accepted(large, "print");
  EXPECT_EQ(noted.error(), Errc::overloaded);
  EXPECT_LT(taken, 1000);
  EXPECT_EQ(loop.get(port->begin(numbered_job(2), 1)).error(), Errc::overloaded);
  ASSERT_TRUE(holder->run("ROLLBACK"));
}

TEST_F(SqliteStoreTest, ReadsDoNotWaitForAWriteThatIsStuck) {
  SqliteStore store(path, random);
  const auto port = store.port(loop.clock());
  loop.run_one(finish_one(*port, numbered_job(1)));
  auto holder = Database::open(path, Database::Mode::write);
  ASSERT_TRUE(holder && holder->run("BEGIN IMMEDIATE"));
  const auto begun = loop.get(port->begin(numbered_job(1), 2));
  ASSERT_TRUE(begun);
  EXPECT_EQ(begun->job.state, JobState::succeeded);
  EXPECT_TRUE(loop.get(port->list({})));
  ASSERT_TRUE(holder->run("ROLLBACK"));
}

Task<> save_and_note_a_throw(Store& store, bool& thrown) {
  try {
    const Step step;
    const auto saved = co_await store.save_step(numbered_job(1).id, step);
    EXPECT_TRUE(saved);
  } catch (const std::exception&) {
    thrown = true;
    throw;
  }
}

Task<> cancel_a_waiting_call(Store& store, Clock& clock, bool& thrown) {
  Nursery nursery(clock);
  nursery.start(save_and_note_a_throw(store, thrown));
  co_await clock.sleep_for(1ms);
  nursery.stop();
  co_await nursery.join();
}

TEST_F(SqliteStoreTest, ACancelledCallerLeavesAndItsReplyFindsNobody) {
  SqliteStore store(path, random);
  const auto port = store.port(loop.clock());
  auto holder = Database::open(path, Database::Mode::write);
  ASSERT_TRUE(holder && holder->run("BEGIN IMMEDIATE"));
  bool thrown = false;
  loop.run_one(cancel_a_waiting_call(*port, loop.clock(), thrown));
  EXPECT_TRUE(thrown);
  ASSERT_TRUE(holder->run("ROLLBACK"));
  loop.run_one(finish_one(*port, numbered_job(2)));
}

TEST_F(SqliteStoreTest, APortMayGoBeforeItsRepliesCome) {
  SqliteStore store(path, random);
  auto holder = Database::open(path, Database::Mode::write);
  ASSERT_TRUE(holder && holder->run("BEGIN IMMEDIATE"));
  {
    TestLoop short_lived;
    const auto port = store.port(short_lived.clock());
    bool thrown = false;
    short_lived.run_one(cancel_a_waiting_call(*port, short_lived.clock(), thrown));
  }
  ASSERT_TRUE(holder->run("ROLLBACK"));
  const auto port = store.port(loop.clock());
  loop.run_one(finish_one(*port, numbered_job(2)));
  EXPECT_EQ(loop.get(port->begin(numbered_job(1), 1))->steps.size(), 1u);
}

TEST_F(SqliteStoreTest, AFileThatIsNotSqliteIsRefusedByName) {
  std::ofstream(path) << std::string(8192, 'x');
  try {
    SqliteStore store(path, random);
    FAIL() << "opened";
  } catch (const std::runtime_error& refused) {
    EXPECT_NE(std::string(refused.what()).find(path), std::string::npos);
    EXPECT_NE(std::string(refused.what()).find("not an SQLite file"), std::string::npos);
  }
}

TEST_F(SqliteStoreTest, ADamagedFileIsRefusedByName) {
  {
    SqliteStore store(path, random);
    const auto port = store.port(loop.clock());
    std::vector<Task<>> tasks;
    for (int i = 0; i < 400; ++i) tasks.push_back(finish_one(*port, numbered_job(i)));
    loop.run(std::move(tasks));
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(3 * 8192);
  file << std::string(4 * 8192, '\xff');
  file.close();
  try {
    SqliteStore store(path, random);
    FAIL() << "opened";
  } catch (const std::runtime_error& refused) {
    EXPECT_NE(std::string(refused.what()).find(path), std::string::npos);
    EXPECT_NE(std::string(refused.what()).find("damaged"), std::string::npos);
  }
}

TEST_F(SqliteStoreTest, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(path) << "a file, not a folder";
  EXPECT_THROW(SqliteStore(path + "/below/store.db", random), std::runtime_error);
}

TEST_F(SqliteStoreTest, TheIdStaysWithTheFile) {
  std::string id;
  {
    const SqliteStore store(path, random);
    id = store.id();
  }
  EXPECT_EQ(SqliteStore("sqlite:" + path, random).id(), id);
  EXPECT_NE(SqliteStore(path + ".other", random).id(), id);
}

TEST_F(SqliteStoreTest, MigratingStartsFromNothingAndIsIdempotent) {
  const int newest = migrations().back().version;
  EXPECT_EQ(migrate_store(path, random), newest);
  EXPECT_EQ(migrate_store("sqlite:///" + path, random), newest);
  auto database = Database::open(path, Database::Mode::read);
  ASSERT_TRUE(database);
  sqlite::Statement versions("SELECT count(*), max(version) FROM schema_version");
  auto query = versions.on(*database);
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.number(0), static_cast<std::int64_t>(migrations().size()));
  EXPECT_EQ(query.number(1), newest);
}

TEST_F(SqliteStoreTest, AStoreOfANewerBuildIsUsed) {
  ASSERT_TRUE(migrate_store(path, random));
  {
    auto database = Database::open(path, Database::Mode::write);
    ASSERT_TRUE(database->run("INSERT INTO schema_version VALUES (999, 'from the future')"));
    ASSERT_TRUE(database->run("ALTER TABLE jobs ADD COLUMN novelty TEXT"));
  }
  EXPECT_EQ(migrate_store(path, random), 999);
  SqliteStore store(path, random);
  const auto port = store.port(loop.clock());
  loop.run_one(finish_one(*port, numbered_job(1)));
}

TEST_F(SqliteStoreTest, TablesOfAnotherProgramInTheSameFileAreLeftAlone) {
  {
    auto database = Database::open(path, Database::Mode::write);
    ASSERT_TRUE(database->run("CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('me')"));
  }
  EXPECT_TRUE(migrate_store(path, random));
  auto database = Database::open(path, Database::Mode::read);
  sqlite::Statement users("SELECT name FROM users");
  auto query = users.on(*database);
  ASSERT_TRUE(query.step());
  EXPECT_EQ(query.text(0), "me");
}

TEST(DatabaseUrl, NamesAFileInEachOfItsForms) {
  EXPECT_EQ(sqlite_path("chatbot.db"), "chatbot.db");
  EXPECT_EQ(sqlite_path("/var/lib/m.db"), "/var/lib/m.db");
  EXPECT_EQ(sqlite_path("sqlite:chatbot.db"), "chatbot.db");
  EXPECT_EQ(sqlite_path("sqlite:/var/lib/m.db"), "/var/lib/m.db");
  EXPECT_EQ(sqlite_path("sqlite:///chatbot.db"), "chatbot.db");
  EXPECT_EQ(sqlite_path("sqlite:////var/lib/m.db"), "/var/lib/m.db");
}

TEST(DatabaseUrl, AnythingElseIsRefusedWithoutRepeatingAPassword) {
  for (const char* url : {"", "sqlite:", "sqlite:///", "sqlite://host/x.db", ":memory:",
                          "sqlite::memory:", "file:x.db", "postgres://me:secret@host/db"}) {
    const auto path = sqlite_path(url);
    ASSERT_FALSE(path) << url;
    EXPECT_NE(path.error().find("allowed"), std::string::npos);
    EXPECT_EQ(path.error().find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace millrace
