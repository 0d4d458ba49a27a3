#include "shared/kafka/offset_tracker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <random>

#include "shared/runtime/limits.h"

namespace millrace::kafka {
namespace {

TEST(OffsetTracker, PositionStaysAtTheLowestUnfinishedOffset) {
  OffsetTracker tracker(10);
  for (int offset = 10; offset < 14; ++offset) EXPECT_TRUE(tracker.take(offset));
  tracker.finish(12);
  tracker.finish(11);
  EXPECT_EQ(tracker.position(), 10);
  EXPECT_EQ(tracker.unfinished(), 2u);
  tracker.finish(10);
  EXPECT_EQ(tracker.position(), 13);
  tracker.finish(13);
  EXPECT_EQ(tracker.position(), 14);
}

TEST(OffsetTracker, FinishingTwiceOrWhatWasNeverTakenChangesNothing) {
  OffsetTracker tracker(0);
  tracker.take(0);
  tracker.take(1);
  tracker.finish(1);
  tracker.finish(1);
  tracker.finish(7);
  tracker.finish(-3);
  EXPECT_EQ(tracker.position(), 0);
  EXPECT_EQ(tracker.unfinished(), 1u);
  EXPECT_TRUE(tracker.take(7));
}

TEST(OffsetTracker, AGapCountsAsFinished) {
  OffsetTracker tracker(0);
  EXPECT_TRUE(tracker.take(5));
  EXPECT_EQ(tracker.position(), 5);
  EXPECT_TRUE(tracker.take(9));
  EXPECT_FALSE(tracker.take(7)) << "an offset inside a gap was skipped for good";
  tracker.finish(5);
  EXPECT_EQ(tracker.position(), 9);
}

TEST(OffsetTracker, AGapWiderThanTheWindowLosesNothing) {
  OffsetTracker tracker(0);
  const std::int64_t far = 50'000'000;
  EXPECT_TRUE(tracker.take(0));
  EXPECT_TRUE(tracker.take(far));
  EXPECT_TRUE(tracker.take(far + 9'000'000));
  EXPECT_TRUE(tracker.full());
  tracker.finish(far);
  EXPECT_EQ(tracker.position(), 0);
  EXPECT_EQ(tracker.unfinished(), 2u);
  tracker.finish(0);
  EXPECT_EQ(tracker.position(), far + 9'000'000);
  EXPECT_FALSE(tracker.full());
  tracker.finish(far + 9'000'000);
  EXPECT_EQ(tracker.position(), far + 9'000'001);
  EXPECT_EQ(tracker.unfinished(), 0u);
}

TEST(OffsetTracker, AnOffsetInHandIsGivenOutAgainAfterASeekBack) {
  OffsetTracker tracker(0);
  EXPECT_TRUE(tracker.take(0));
  EXPECT_TRUE(tracker.take(1));
  tracker.finish(1);
  EXPECT_TRUE(tracker.take(0));
  EXPECT_FALSE(tracker.take(1));
  EXPECT_EQ(tracker.unfinished(), 1u);
}

TEST(OffsetTracker, TellsWhenACommitWouldSayAnythingNew) {
  OffsetTracker tracker(0);
  EXPECT_FALSE(tracker.moved_since_commit());
  tracker.take(0);
  tracker.take(1);
  EXPECT_FALSE(tracker.moved_since_commit());
  tracker.finish(1);
  EXPECT_TRUE(tracker.moved_since_commit()) << "the hint has news";
  tracker.committed();
  EXPECT_FALSE(tracker.moved_since_commit());
  tracker.finish(1);
  EXPECT_FALSE(tracker.moved_since_commit());
  tracker.finish(0);
  EXPECT_TRUE(tracker.moved_since_commit());
}

TEST(OffsetTracker, TheWindowIsFullAMillionOffsetsBeyondTheSlowest) {
  OffsetTracker tracker(3);
  tracker.take(3);
  for (std::int64_t offset = 4; offset < 3 + limits::offset_window - 1; ++offset) {
    tracker.take(offset);
    tracker.finish(offset);
  }
  EXPECT_FALSE(tracker.full());
  tracker.take(3 + limits::offset_window - 1);
  EXPECT_TRUE(tracker.full());
  EXPECT_EQ(tracker.hint(4000), "m1;3;1+999998,.");
  tracker.finish(3);
  EXPECT_FALSE(tracker.full());
}

TEST(OffsetTrackerHint, CarriesWhatFinishedBeyondThePosition) {
  OffsetTracker before(100);
  for (int offset = 100; offset < 120; ++offset) before.take(offset);
  for (int offset : {101, 102, 105, 119}) before.finish(offset);
  const auto hint = before.hint(4000);
  EXPECT_EQ(hint, "m1;100;1+2,2+1,13+1,.");
  EXPECT_EQ(OffsetTracker::finished_in(hint), 4);
  EXPECT_EQ(OffsetTracker::finished_in("d120;" + hint), 4);
  EXPECT_EQ(OffsetTracker::finished_in("something else"), 0);

  OffsetTracker after(100);
  after.apply_hint(hint);
  EXPECT_EQ(after.hint(4000), hint) << "still true before anything was delivered";
  for (int offset = 100; offset < 120; ++offset) {
    const bool finished = offset == 101 || offset == 102 || offset == 105 || offset == 119;
    EXPECT_EQ(after.take(offset), !finished) << offset;
  }
  EXPECT_EQ(after.hint(4000), hint);
}

TEST(OffsetTrackerHint, ThePositionPassesWhatTheHintFinished) {
  OffsetTracker tracker(0);
  tracker.apply_hint("m1;0;1+4,.");
  EXPECT_TRUE(tracker.take(0));
  tracker.finish(0);
  EXPECT_EQ(tracker.position(), 5);
  EXPECT_FALSE(tracker.take(1));
}

TEST(OffsetTrackerHint, IsCutToFitAndStaysReadable) {
  OffsetTracker before(0);
  for (int offset = 0; offset < 10'000; ++offset) before.take(offset);
  for (int offset = 1; offset < 10'000; offset += 2) before.finish(offset);
  for (std::size_t bytes_max = 0; bytes_max < 300; ++bytes_max) {
    const auto hint = before.hint(bytes_max);
    ASSERT_LE(hint.size(), bytes_max);
    OffsetTracker after(0);
    after.apply_hint(hint);
    EXPECT_EQ(after.hint(4000), hint);
  }
  EXPECT_GT(before.hint(limits::commit_metadata_bytes_max).size(), 3990u);
}

TEST(OffsetTrackerHint, AHintOfAnotherPositionIsIgnored) {
  OffsetTracker tracker(1);
  tracker.apply_hint("m1;0;1+4,.");
  EXPECT_TRUE(tracker.take(1));
}

TEST(OffsetTrackerHint, MalformedHintsSkipNothing) {
  const std::string good = "m1;0;1+4,2+3,.";
  for (std::size_t length = 0; length < good.size(); ++length) {
    OffsetTracker tracker(0);
    tracker.apply_hint(good.substr(0, length));
    EXPECT_TRUE(tracker.take(1)) << good.substr(0, length);
  }
  for (const char* hint : {"m1;0;1+9999999,.", "m1;0;99999999999999999999+1,.", "m1;0;1+-4,.",
                           "m1;0;1+4,.x", "m2;0;1+4,.", "m1;0;1+4", "m1;0;+,.", "{\"a\":1}"}) {
    OffsetTracker tracker(0);
    tracker.apply_hint(hint);
    EXPECT_TRUE(tracker.take(1)) << hint;
  }
}

/// The same promises, kept naively.
struct Model {
  std::map<std::int64_t, bool> finished;  // what was taken
  std::int64_t seen;

  std::int64_t position() const {
    for (const auto& [offset, done] : finished) {
      if (!done) return offset;
    }
    return seen;
  }
};

void walk(std::uint32_t seed) {
  std::mt19937_64 random(seed);
  const std::int64_t first = static_cast<std::int64_t>(random() % 5'000'000);
  OffsetTracker tracker(first);
  Model model{.finished = {}, .seen = first};
  const auto gap_odds = 1 + random() % 20;
  const std::int64_t gap_max = random() % 4 == 0 ? 700'000 : 200;
  for (int step = 0; step < 400; ++step) {
    if (random() % 2 == 0) {
      const auto gap = random() % gap_odds == 0 ? static_cast<std::int64_t>(random()) % gap_max : 0;
      const auto offset = model.seen + std::max<std::int64_t>(gap, 0);
      ASSERT_TRUE(tracker.take(offset));
      model.finished[offset] = false;
      model.seen = offset + 1;
    } else if (!model.finished.empty()) {
      auto at = model.finished.begin();
      const auto reach = std::min<std::size_t>(model.finished.size(), 1 + random() % 300);
      std::advance(at, static_cast<std::ptrdiff_t>(random() % reach));
      tracker.finish(at->first);
      at->second = true;
    }
    const auto unfinished =
        std::ranges::count_if(model.finished, [](auto& e) { return !e.second; });
    ASSERT_EQ(tracker.unfinished(), static_cast<std::size_t>(unfinished));
    ASSERT_EQ(tracker.position(), model.position());
  }
  // A successor that takes over the whole hint runs exactly what is unfinished, as far as the
  // window reaches; beyond it may run finished ones again, never skip an unfinished one.
  OffsetTracker next(tracker.position());
  const auto hint = tracker.hint(1'000'000);
  ASSERT_TRUE(std::ranges::all_of(hint, [](unsigned char c) { return std::isprint(c) != 0; }));
  next.apply_hint(hint);
  for (const auto& [offset, done] : model.finished) {
    const bool run = next.take(offset);
    if (!done) ASSERT_TRUE(run) << offset;
    if (done && offset < tracker.position() + limits::offset_window) ASSERT_FALSE(run) << offset;
  }
}

TEST(OffsetTrackerProperty, AgreesWithTheNaiveModelUnderAnyOrderAndAnyGaps) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    walk(seed);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(OffsetTrackerProperty, RandomEditsOfAHintNeverCrash) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string hint = "m1;0;1+4,2+3,100+2000,.";
    for (unsigned edits = random() % 4; edits > 0; --edits) {
      hint[random() % hint.size()] = static_cast<char>(random() % 128);
    }
    OffsetTracker tracker(0);
    tracker.apply_hint(hint);
    tracker.take(3);
    ASSERT_LE(tracker.hint(4000).size(), 4000u);
  }
}

}  // namespace
}  // namespace millrace::kafka
