#include "shared/sqlite/waiting_jobs.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <set>

#include "shared/runtime/random.h"

namespace millrace::sqlite {
namespace {

constexpr Instant start{};

WaitingJob waiting_job(std::int64_t seq, std::string lane = "", Instant due = start) {
  WaitingJob made;
  made.seq = seq;
  made.lane = std::move(lane);
  made.due = due;
  made.job.envelope = std::to_string(seq);
  return made;
}

WaitingJobs::Bounds small_bounds() {
  return {
      .jobs = 8, .bytes = 1 << 20, .in_hand = 4, .lane_jobs = 2, .page_rows = 3, .wait_max = 30s};
}

std::vector<std::string> take_all(WaitingJobs& jobs) {
  std::vector<std::string> taken;
  while (const auto delivery = jobs.take()) taken.push_back(delivery->job.envelope);
  return taken;
}

using Names = std::vector<std::string>;

TEST(WaitingJobs, OneOfALaneAtATimeOthersAtOnce) {
  WaitingJobs jobs(small_bounds(), 0);
  jobs.arrive(waiting_job(1, "a"), start);
  jobs.arrive(waiting_job(2, "a"), start);
  jobs.arrive(waiting_job(3), start);
  EXPECT_EQ(take_all(jobs), (Names{"1", "3"}));
  jobs.finish(1, start);
  EXPECT_EQ(take_all(jobs), (Names{"2"}));
}

TEST(WaitingJobs, NoMoreAreInHandThanAllowed) {
  WaitingJobs jobs(small_bounds(), 0);
  for (int seq = 1; seq <= 6; ++seq) jobs.arrive(waiting_job(seq), start);
  EXPECT_EQ(take_all(jobs).size(), 4u);
  jobs.finish(2, start);
  EXPECT_EQ(take_all(jobs).size(), 1u);
}

TEST(WaitingJobs, WhatFindsNoRoomIsReadFromTheTableInItsTurn) {
  WaitingJobs jobs(small_bounds(), 0);
  for (int seq = 1; seq <= 9; ++seq) jobs.arrive(waiting_job(seq), start);
  EXPECT_EQ(jobs.held(), 8u);
  EXPECT_FALSE(jobs.wanted_page()) << "there is no room yet";
  take_all(jobs);
  for (std::uint64_t handle = 1; handle <= 4; ++handle) jobs.finish(handle, start);
  take_all(jobs);
  const auto page = jobs.wanted_page();
  ASSERT_TRUE(page);
  EXPECT_EQ(page->after, 8);
  jobs.arrive(waiting_job(10), start);  // comes with the page
  std::vector<WaitingJob> read;
  read.push_back(waiting_job(9));
  read.push_back(waiting_job(10));
  jobs.add_page(std::move(read), 10, start);
  for (std::uint64_t handle = 5; handle <= 8; ++handle) jobs.finish(handle, start);
  EXPECT_EQ(take_all(jobs), (Names{"9", "10"}));
}

TEST(WaitingJobs, ALaneThatFillsLeavesRoomForOthers) {
  WaitingJobs jobs(small_bounds(), 0);
  for (int seq = 1; seq <= 20; ++seq) jobs.arrive(waiting_job(seq, "busy"), start);
  EXPECT_EQ(jobs.held(), 2u);
  jobs.arrive(waiting_job(21), start);
  EXPECT_EQ(take_all(jobs), (Names{"1", "21"}));
  jobs.finish(1, start);
  EXPECT_EQ(take_all(jobs), (Names{"2"}));
  jobs.finish(3, start);
  const auto lanes = jobs.wanted_lanes();
  ASSERT_EQ(lanes.size(), 1u);
  EXPECT_EQ(lanes[0].lane, "busy");
  EXPECT_EQ(lanes[0].what.after, 2);
}

TEST(WaitingJobs, AJobPutOffHoldsBackItsLaneAloneAndComesFirstAgain) {
  WaitingJobs jobs(small_bounds(), 0);
  ASSERT_TRUE(jobs.wanted_due(start)) << "at first nobody knows what the table holds";
  jobs.add_due({}, Instant::max(), start);
  jobs.arrive(waiting_job(1, "a"), start);
  jobs.arrive(waiting_job(2, "a"), start);
  take_all(jobs);
  EXPECT_TRUE(jobs.put_off(1, waiting_job(1, "a", start + 5s), start));
  jobs.arrive(waiting_job(3), start);
  EXPECT_EQ(take_all(jobs), (Names{"3"}));
  EXPECT_EQ(jobs.wake(start + 4s), start + 5s);
  EXPECT_TRUE(take_all(jobs).empty());
  jobs.wake(start + 5s);
  EXPECT_EQ(take_all(jobs), (Names{"1"}));
}

TEST(WaitingJobs, ALongWaitIsSpentInTheTable) {
  WaitingJobs jobs(small_bounds(), 0);
  jobs.arrive(waiting_job(1), start);
  jobs.arrive(waiting_job(2, "a"), start);
  take_all(jobs);
  EXPECT_FALSE(jobs.put_off(1, waiting_job(1, "", start + 1h), start));
  EXPECT_FALSE(jobs.put_off(2, waiting_job(2, "a", start + 1h), start));
  EXPECT_EQ(jobs.held(), 0u);
  jobs.arrive(waiting_job(3, "a"), start);
  EXPECT_TRUE(take_all(jobs).empty()) << "the lane forgot that it waits";
  jobs.wake(start + 1h);
  EXPECT_EQ(jobs.wanted_lanes().at(0).what.after, 1);
  ASSERT_TRUE(jobs.wanted_due(start + 1h));
  std::vector<WaitingJob> due;
  due.push_back(waiting_job(1));
  EXPECT_EQ(jobs.add_due(std::move(due), Instant::max(), start + 1h),
            (std::vector<std::int64_t>{1}));
  EXPECT_EQ(take_all(jobs), (Names{"1"}));
}

TEST(WaitingJobs, WhoFindsNoRoomToWaitWaitsInTheTable) {
  WaitingJobs jobs(small_bounds(), 0);
  ASSERT_TRUE(jobs.wanted_due(start));
  jobs.add_due({}, Instant::max(), start);
  for (int seq = 1; seq <= 5; ++seq) jobs.arrive(waiting_job(seq, "", start + 5s), start);
  EXPECT_EQ(jobs.held(), 4u);
  const auto parked = jobs.take_parked();
  ASSERT_EQ(parked.size(), 1u);
  EXPECT_EQ(parked[0].seq, 5);
  EXPECT_FALSE(jobs.wanted_due(start + 4s));
  EXPECT_TRUE(jobs.wanted_due(start + 5s));
}

TEST(WaitingJobs, APageThatDoesNotFitIsReadAgainFromWhereItDidNot) {
  WaitingJobs jobs(small_bounds(), 12);
  ASSERT_TRUE(jobs.wanted_page());
  std::vector<WaitingJob> page;
  for (int seq = 1; seq <= 12; ++seq) page.push_back(waiting_job(seq));
  jobs.add_page(std::move(page), 12, start);
  EXPECT_EQ(jobs.held(), 8u);
  for (std::uint64_t handle = 1; handle <= 8; ++handle) {
    ASSERT_TRUE(jobs.take());
    jobs.finish(handle, start);
  }
  const auto rest = jobs.wanted_page();
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->after, 8);
}

TEST(WaitingJobs, SettlingTwiceOrAStrangerIsNothing) {
  WaitingJobs jobs(small_bounds(), 0);
  jobs.arrive(waiting_job(1, "a"), start);
  take_all(jobs);
  jobs.finish(1, start);
  jobs.finish(1, start);
  EXPECT_TRUE(jobs.put_off(1, waiting_job(1, "a"), start));
  EXPECT_FALSE(jobs.row_of(1));
  EXPECT_EQ(jobs.held(), 0u);
  EXPECT_EQ(jobs.held_bytes(), 0u);
}

/// A table and the road to it: writes and readings take effect in order, what follows from them
/// arrives later, in order, the news of a commit before the answers it gave.
class Road {
 public:
  struct Row {
    std::string lane;
    std::uint32_t attempt = 1;
    Instant due{};
    bool parked = false;
  };
  struct Read {
    std::vector<WaitingJob> jobs;
    std::int64_t looked_to = 0;
    Instant next = Instant::max();
  };

  std::map<std::int64_t, Row> rows;
  std::int64_t last = 0;

  void write(std::function<void()> work) { pending_.push_back({std::move(work), {}, true}); }
  void write(std::function<void()> work, std::function<void()> news) {
    pending_.push_back({std::move(work), std::move(news), true});
  }
  void read(std::function<void()> work, std::function<void()> answer) {
    pending_.push_back({std::move(work), std::move(answer), false});
  }
  void commit(std::size_t count) {
    std::deque<std::function<void()>> answers;
    for (; count > 0 && !pending_.empty(); --count) {
      Step step = std::move(pending_.front());
      pending_.pop_front();
      step.work();
      if (!step.then) continue;
      if (step.news)
        arriving_.push_back({std::move(step.then), true});
      else
        answers.push_back(std::move(step.then));
    }
    for (auto& answer : answers) arriving_.push_back({std::move(answer), false});
  }
  /// Whoever asked has gone.
  void forget_answers() {
    std::erase_if(arriving_, [](const Arriving& one) { return !one.news; });
    for (auto& step : pending_)
      if (!step.news) step.then = nullptr;
  }
  bool arrive() {
    if (arriving_.empty()) return false;
    const auto first = std::move(arriving_.front());
    arriving_.pop_front();
    first.what();
    return true;
  }
  bool quiet() const { return pending_.empty() && arriving_.empty(); }

  WaitingJob job(std::int64_t seq) const {
    const Row& row = rows.at(seq);
    WaitingJob made = waiting_job(seq, row.lane, row.due);
    made.attempt = row.attempt;
    return made;
  }
  Read page(WaitingJobs::Reading what, const std::function<bool(const Row&)>& wanted) const {
    Read read;
    for (auto at = rows.upper_bound(what.after); at != rows.end(); ++at) {
      if (!wanted(at->second)) continue;
      if (read.jobs.size() == what.rows) return read;
      read.looked_to = at->first;
      read.jobs.push_back(job(at->first));
    }
    read.looked_to = last;
    return read;
  }
  Read due(WaitingJobs::Reading what, Instant now) const {
    Read read;
    for (const auto& [seq, row] : rows) {
      if (!row.parked) continue;
      if (row.due <= now && read.jobs.size() < what.rows)
        read.jobs.push_back(job(seq));
      else
        read.next = std::min(read.next, row.due);
    }
    return read;
  }

 private:
  struct Step {
    std::function<void()> work;
    std::function<void()> then;
    bool news;
  };
  struct Arriving {
    std::function<void()> what;
    bool news;
  };
  std::deque<Step> pending_;
  std::deque<Arriving> arriving_;
};

/// Plays one random history and checks it as it goes.
class History {
 public:
  History(std::uint64_t seed, int jobs) : random_(seed), to_put_(jobs) {}

  void play() {
    for (int step = 0; step < 200'000 && !over(); ++step) {
      const auto what = random_.next() % 10;
      if (what < 3 && to_put_ > 0) put();
      if (what < 5) road_.commit(random_.next() % 5);
      if (what < 8) road_.arrive();
      if (what == 8) now_ += std::chrono::milliseconds(random_.next() % 40);
      waiting_->wake(now_);
      ask();
      deliver();
      if (!in_hand_.empty() && random_.next() % 3 == 0) end_one();
      if (random_.next() % 400 == 0) start_over();
      EXPECT_LE(waiting_->held(), bounds().jobs + bounds().in_hand);
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_TRUE(over()) << "stuck: " << road_.rows.size() << " rows, " << to_put_ << " to put";
    EXPECT_EQ(waiting_->held(), 0u);
    EXPECT_EQ(waiting_->held_bytes(), 0u);
    EXPECT_EQ(waiting_->in_hand(), 0u);
  }

 private:
  struct InHand {
    std::int64_t seq;
    std::string lane;
    std::uint64_t handle;
  };

  static WaitingJobs::Bounds bounds() {
    return {.jobs = 12,
            .bytes = 1 << 20,
            .in_hand = 5,
            .lane_jobs = 2,
            .page_rows = 4,
            .wait_max = 30ms};
  }
  bool over() const {
    return to_put_ == 0 && road_.rows.empty() && in_hand_.empty() && road_.quiet();
  }

  void put() {
    --to_put_;
    const auto chance = random_.next();
    const std::string lane = chance % 3 == 0 ? "" : "lane-" + std::to_string(chance % 5);
    const Instant due =
        chance % 11 == 0 ? now_ + std::chrono::milliseconds(chance % 97) : Instant{};
    const bool parked = lane.empty() && due > now_ + bounds().wait_max;
    auto seq = std::make_shared<std::int64_t>(0);
    road_.write(
        [this, lane, due, parked, seq] {
          *seq = ++road_.last;
          road_.rows[*seq] = {lane, 1, due, parked};
        },
        [this, lane, due, parked, seq] {
          if (parked)
            waiting_->note_parked(due);
          else if (random_.next() % 50 == 0)
            waiting_->note_newest(*seq);  // a full inbox drops what came
          else
            waiting_->arrive(waiting_job(*seq, lane, due), now_);
        });
  }

  void ask() {
    if (const auto page = waiting_->wanted_page()) {
      auto read = std::make_shared<Road::Read>();
      road_.read(
          [this, page, read] {
            *read = road_.page(*page, [](const Road::Row& row) { return !row.parked; });
          },
          [this, read] {
            if (random_.next() % 8 == 0) return waiting_->page_failed();
            waiting_->add_page(std::move(read->jobs), read->looked_to, now_);
          });
    }
    for (const auto& lane : waiting_->wanted_lanes()) {
      auto read = std::make_shared<Road::Read>();
      road_.read(
          [this, lane, read] {
            *read =
                road_.page(lane.what, [&](const Road::Row& row) { return row.lane == lane.lane; });
          },
          [this, lane, read] {
            if (random_.next() % 8 == 0) return waiting_->lane_failed(lane.lane);
            waiting_->add_lane(lane.lane, std::move(read->jobs), read->looked_to, now_);
          });
    }
    if (const auto due = waiting_->wanted_due(now_)) ask_due(*due);
    for (const auto& job : waiting_->take_parked())
      road_.write([this, seq = job.seq, due = job.due] {
        road_.rows.at(seq).due = due;
        road_.rows.at(seq).parked = true;
      });
  }

  void ask_due(WaitingJobs::Reading what) {
    auto read = std::make_shared<Road::Read>();
    road_.read([this, what, read, now = now_] { *read = road_.due(what, now); },
               [this, read] {
                 if (random_.next() % 8 == 0) return waiting_->due_failed(now_ + 3ms);
                 for (const auto seq : waiting_->add_due(std::move(read->jobs), read->next, now_))
                   road_.write([this, seq] { road_.rows.at(seq).parked = false; });
               });
  }

  void deliver() {
    while (const auto delivery = waiting_->take()) {
      const auto seq = *waiting_->row_of(delivery->handle);
      ASSERT_FALSE(finished_.contains(seq)) << seq << " came again";
      auto& facts = facts_[seq];
      EXPECT_EQ(delivery->attempt, facts.attempt);
      EXPECT_GE(now_, facts.due) << seq << " came early";
      std::string lane = lane_of(seq);
      if (!lane.empty()) {
        EXPECT_TRUE(busy_.insert(lane).second) << "two of a lane at once";
        auto& last = last_of_[lane];
        EXPECT_TRUE(seq > last.first || (seq == last.first && !last.second)) << "out of order";
        last = {seq, false};
      }
      for (const auto& other : in_hand_) ASSERT_NE(other.seq, seq) << "twice at once";
      in_hand_.push_back({seq, std::move(lane), delivery->handle});
    }
  }
  std::string lane_of(std::int64_t seq) const { return road_.rows.at(seq).lane; }

  void end_one() {
    const auto at = static_cast<std::ptrdiff_t>(random_.next() % in_hand_.size());
    const InHand one = in_hand_[static_cast<std::size_t>(at)];
    in_hand_.erase(in_hand_.begin() + at);
    busy_.erase(one.lane);
    auto& facts = facts_[one.seq];
    const auto chance = random_.next() % 6;
    if (chance > 1) {
      finished_.insert(one.seq);
      if (!one.lane.empty()) last_of_[one.lane].second = true;
      road_.write([this, seq = one.seq] { road_.rows.erase(seq); });
      waiting_->finish(one.handle, now_);
      return;
    }
    facts.due = now_ + std::chrono::milliseconds(random_.next() % 60);
    const bool counted = chance == 0;
    if (counted) ++facts.attempt;
    WaitingJob again = waiting_job(one.seq, one.lane, facts.due);
    again.attempt = facts.attempt;
    const bool held = waiting_->put_off(one.handle, std::move(again), now_);
    if (held && !counted) return;
    road_.write([this, seq = one.seq, facts, parked = !held && one.lane.empty()] {
      auto& row = road_.rows.at(seq);
      row.attempt = facts.attempt;
      row.due = facts.due;
      row.parked = parked;
    });
  }

  /// Another takes over what the table holds.
  void start_over() {
    road_.forget_answers();
    waiting_.emplace(bounds(), road_.last);
    in_hand_.clear();
    busy_.clear();
    for (auto& [seq, facts] : facts_) facts.due = Instant{};
  }

  struct Facts {
    std::uint32_t attempt = 1;
    Instant due{};
  };

  SeededRandom random_;
  int to_put_;
  Road road_;
  std::optional<WaitingJobs> waiting_{std::in_place, bounds(), 0};
  Instant now_ = start + 1s;
  std::vector<InHand> in_hand_;
  std::set<std::string> busy_;
  std::map<std::string, std::pair<std::int64_t, bool>> last_of_;  ///< of a lane: row, finished
  std::map<std::int64_t, Facts> facts_;
  std::set<std::int64_t> finished_;
};

TEST(WaitingJobs, EveryJobEndsOnceInTheOrderOfItsLaneWhateverTheChance) {
  for (std::uint64_t seed = 0; seed < 300 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    History(seed, 60).play();
  }
}

}  // namespace
}  // namespace millrace::sqlite
