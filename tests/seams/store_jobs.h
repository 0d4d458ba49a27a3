#pragma once
#include <gtest/gtest.h>

#include <cstdint>

#include "shared/store.h"

namespace millrace {

inline Job numbered_job(int number) {
  Job job;
  job.id.bytes = {1,
                  2,
                  3,
                  4,
                  5,
                  6,
                  0x70,
                  0,
                  0x80,
                  0,
                  0,
                  0,
                  0,
                  0,
                  static_cast<std::uint8_t>(number >> 8),
                  static_cast<std::uint8_t>(number)};
  job.created_at = WallTime(std::chrono::milliseconds(1'767'225'600'000 + number));
  job.deadline = job.created_at + std::chrono::hours(24);
  job.envelope = std::string(400, 'e');
  return job;
}

inline Outcome numbered_outcome(int number) {
  Outcome outcome;
  outcome.state = JobState::succeeded;
  outcome.text = "answer " + std::to_string(number);
  return outcome;
}

/// Expects the job to end by this call.
inline Task<> finish_one(Store& store, Job job) {
  const auto finished = co_await store.finish(job, numbered_outcome(0), nullptr);
  EXPECT_TRUE(finished && finished->first);
}

}  // namespace millrace
