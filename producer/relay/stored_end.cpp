#include "producer/relay/stored_end.h"

#include "producer/relay/sse.h"

namespace millrace::relay {

std::string stored_end_line(const StoredJob& job) {
  Outcome outcome;
  if (job.outcome) outcome = *job.outcome;
  outcome.state = job.state;
  std::string line;
  EventWriter(job.id, job.created_at)
      .terminal(line, {.seq = last_seq_possible, .now = job.ended_at.value_or(job.created_at)},
                outcome);
  return line;
}

}  // namespace millrace::relay
