#pragma once
#include "producer/ingress/dead_letter_routes.h"
#include "tests/producer/ingress/fake_letters.h"
#include "tests/producer/ingress/world.h"

namespace millrace::ingress_test {

/// An edge and jobs that ended on it; it can search their letters, or cannot.
struct RedriveWorld : World {
  FakeLetters letters;
  Redrive redriver;
  DeadLetterRoutes letter_routes;

  explicit RedriveWorld(bool can_search = true)
      : redriver({store, objects, submit, clock, random, can_search ? &letters : nullptr}),
        letter_routes(can_search ? &letters : nullptr, redriver,
                      [this] { return trouble.empty(); }) {
    letter_routes.add_to(router);
  }

  static Job question() {
    Job job;
    job.input = R"("hello")";
    return job;
  }
  /// As the Store keeps it, and its letter.
  JobId ended(Job job = question(), JobState state = JobState::failed) {
    job.id = new_job_id(clock.wall(), random);
    job.created_at = clock.wall();
    job.deadline = clock.wall() + std::chrono::hours(24);
    job.envelope = encode_envelope(job);
    StoredJob& row = store.rows[job.id] = as_accepted(job);
    row.state = state;
    row.ended_at = clock.wall();
    row.outcome.emplace().state = state;
    letters.letters.push_back({.number = static_cast<std::int64_t>(letters.letters.size()) + 1,
                               .job = job.id,
                               .reason = "said \"no\"",
                               .attempts = 5,
                               .died_at = clock.wall(),
                               .redriven_as = {}});
    return job.id;
  }

  http::Response redrive(std::string asked) {
    return send(http::Method::post, "/v1/dead-letters/redrive", std::move(asked));
  }
  http::Response redrive_one(const JobId& id) { return redrive(R"({"id":")" + id.str() + "\"}"); }
};

}  // namespace millrace::ingress_test
