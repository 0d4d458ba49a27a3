#pragma once
#include <gtest/gtest.h>

#include "shared/runtime/random.h"
#include "shared/store.h"
#include "tests/seams/store_jobs.h"
#include "tests/seams/test_loop.h"

/// How a database's Store commits: the promises of group commit that the port does not show. An
/// adapter's test program includes this file once and adds
/// `INSTANTIATE_TYPED_TEST_SUITE_P(Name, StoreCommitsSuite, Place)`. `Place`: a default constructor
/// that makes an empty database, `Kind` (the Store's class), `url()`, and `missing()`, which says
/// what has to be set for the tests to run, or nothing.
namespace millrace {

template <class Place>
class StoreCommitsSuite : public testing::Test {
 protected:
  using Kind = typename Place::Kind;

  void SetUp() override {
    if (const std::string missing = Place::missing(); !missing.empty()) GTEST_SKIP() << missing;
    place_.emplace();
  }
  Kind store() { return Kind(place_->url(), random_); }

  TestLoop loop;

 private:
  std::optional<Place> place_;
  SystemRandom random_;
};

TYPED_TEST_SUITE_P(StoreCommitsSuite);

TYPED_TEST_P(StoreCommitsSuite, WritesThatQueueTogetherShareACommit) {
  auto store = this->store();
  const auto port = store.port(this->loop.clock());
  std::vector<Task<>> tasks;
  for (int i = 0; i < 400; ++i) tasks.push_back(finish_one(*port, numbered_job(i)));
  this->loop.run(std::move(tasks));
  EXPECT_EQ(store.written().rows, 400u);
  EXPECT_LT(store.written().commits, 40u);
}

TYPED_TEST_P(StoreCommitsSuite, NotesAloneAreWrittenTogetherAndAnAwaitedWriteTakesThemAlong) {
  auto store = this->store();
  const auto port = store.port(this->loop.clock());
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(port->note_accepted(numbered_job(i), "print"));
  this->loop.run_one(finish_one(*port, numbered_job(1000)));
  EXPECT_EQ(store.written().rows, 101u);
  EXPECT_LE(store.written().commits, 3u);
  EXPECT_TRUE(this->loop.get(port->find("default", numbered_job(99).id)));
}

TYPED_TEST_P(StoreCommitsSuite, WhatIsQueuedAtTheEndIsWritten) {
  {
    auto store = this->store();
    const auto port = store.port(this->loop.clock());
    for (int i = 0; i < 2000; ++i) ASSERT_TRUE(port->note_accepted(numbered_job(i), "print"));
  }
  auto store = this->store();
  const auto port = store.port(this->loop.clock());
  EXPECT_TRUE(this->loop.get(port->find("default", numbered_job(1999).id)));
}

REGISTER_TYPED_TEST_SUITE_P(StoreCommitsSuite, WritesThatQueueTogetherShareACommit,
                            NotesAloneAreWrittenTogetherAndAnAwaitedWriteTakesThemAlong,
                            WhatIsQueuedAtTheEndIsWritten);

}  // namespace millrace
