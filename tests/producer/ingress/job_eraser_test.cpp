#include "producer/ingress/job_eraser.h"

#include "shared/contract/envelope.h"
#include "tests/producer/ingress/world.h"

namespace millrace::ingress_test {
namespace {

struct EraserWorld : World {
  JobEraser eraser{{store, log, objects, cancel, clock, 5min}};

  ~EraserWorld() {
    nursery.stop();
    clock.run_for(1s);
  }

  /// A job of the session, as the Store keeps it.
  JobId stored(bool turn, JobState state) {
    Job job;
    job.id = new_job_id(clock.wall(), random);
    job.session = "s";
    job.input = R"("words")";
    if (turn) job.context = SessionContext{10};
    job.created_at = clock.wall();
    job.deadline = clock.wall() + std::chrono::hours(24);
    job.envelope = encode_envelope(job);
    StoredJob& row = store.rows[job.id] = as_accepted(job);
    row.state = state;
    if (!terminal(state)) return job.id;
    row.ended_at = clock.wall();
    row.outcome.emplace().state = state;
    row.outcome->text = "words";
    return job.id;
  }
  bool has_words(const JobId& id) {
    const StoredJob& row = store.rows.at(id);
    return row.envelope.contains("words") || !row.outcome || row.outcome->text.contains("words");
  }
  void erase_turns() {
    nursery.start(eraser.erase_turns("default", "s"));
    clock.run_for(10s);
  }
};

TEST(JobEraser, AllTurnsOfASessionAreErasedHoweverManyAndNothingElse) {
  EraserWorld w;
  std::vector<JobId> turns;
  for (int i = 0; i < 45; ++i) turns.push_back(w.stored(true, JobState::succeeded));
  const JobId live = w.stored(true, JobState::queued);
  const JobId no_turn = w.stored(false, JobState::succeeded);
  w.erase_turns();
  for (const auto& id : turns) EXPECT_FALSE(w.has_words(id));
  EXPECT_EQ(w.store.rows.at(live).state, JobState::cancelled);
  EXPECT_FALSE(w.has_words(live));
  EXPECT_TRUE(w.has_words(no_turn));
  EXPECT_FALSE(w.log.records.contains(live));
}

TEST(JobEraser, WhatIsNotToBeKeptGoesOnceItsReadersHadTheirTime) {
  EraserWorld w;
  const JobId brief = w.stored(false, JobState::succeeded);
  const JobId kept = w.stored(false, JobState::succeeded);
  w.store.unkept_jobs.insert(brief);
  w.nursery.start(w.eraser.run());
  w.clock.run_for(4min);
  EXPECT_TRUE(w.has_words(brief));
  w.clock.run_for(2min);
  EXPECT_FALSE(w.has_words(brief));
  EXPECT_TRUE(w.has_words(kept));
}

TEST(JobEraser, WhatCannotBeErasedNowIsErasedWhenTheLogIsBack) {
  EraserWorld w;
  const JobId brief = w.stored(false, JobState::succeeded);
  w.store.unkept_jobs.insert(brief);
  w.log.fails = Errc::unavailable;
  w.nursery.start(w.eraser.run());
  w.clock.run_for(6min);
  EXPECT_TRUE(w.has_words(brief));
  w.log.fails.reset();
  w.clock.run_for(1min);
  EXPECT_FALSE(w.has_words(brief));
}

}  // namespace
}  // namespace millrace::ingress_test
