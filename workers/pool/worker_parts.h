#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "shared/event_log.h"
#include "shared/job_queue.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/config.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/random.h"
#include "shared/sessions.h"
#include "shared/store.h"
#include "workers/llm/chat_model.h"
#include "workers/pool/large_inputs.h"
#include "workers/pool/quiet_room.h"
#include "workers/pool/worker_counts.h"

namespace millrace {

/// How one loop works.
struct WorkerSettings {
  std::string name;  ///< told in `started`, and where cancels are heard: unique to this loop
  std::uint32_t jobs_in_flight = limits::jobs_in_flight_max;  ///< of this loop
  std::uint32_t job_attempts = limits::job_attempts_max;
  LlmContinue llm_continue = LlmContinue::rewind;
  Duration drain_grace = limits::drain_grace;
};

/// What a worker works with: all of one loop, all outliving it. The quiet room and the counts
/// are the process's.
struct WorkerParts {
  JobQueue& queue;
  EventLog& log;
  Store& store;
  Sessions& sessions;
  ChatModel& model;
  LargeInputs& inputs;
  Clock& clock;
  Random& random;
  QuietRoom& room;
  WorkerCounts& counts;
  WorkerSettings settings;
  /// Called once the end of a job that names a webhook stands in the Store; may be empty.
  std::function<void()> webhook_due{};
};

}  // namespace millrace
