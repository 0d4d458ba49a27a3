#include "shared/store_schema.h"

#include <array>

namespace millrace {
namespace {

// `jobs` keeps its rowid: rows of 400 bytes and more, which grow when the answer comes, cost 6 µs
// a finish so, and 18 µs in a table WITHOUT ROWID (16 where ids are derived and thus random).
// The indexes leave out the id, which lists use only to order jobs of one millisecond.
// `state` is JobState's number: live below 3. Times are milliseconds since 1970.
constexpr const char* jobs_and_steps = R"sql(
CREATE TABLE store (
  id TEXT NOT NULL,
  probes BIGINT NOT NULL
);
CREATE TABLE jobs (
  id BYTEA NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  session TEXT NOT NULL,
  model TEXT NOT NULL,
  state SMALLINT NOT NULL,
  cancel_wanted SMALLINT NOT NULL,
  attempts INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT,
  ended_at BIGINT,
  deadline BIGINT NOT NULL,
  fingerprint TEXT NOT NULL,
  finish_reason TEXT,
  answered_by TEXT,
  usage TEXT,
  error_code TEXT,
  error_message TEXT,
  retryable SMALLINT,
  envelope TEXT NOT NULL,
  answer TEXT
);
CREATE INDEX jobs_by_age ON jobs (tenant, created_at);
CREATE INDEX jobs_by_session ON jobs (tenant, session, created_at) WHERE session <> '';
CREATE TABLE steps (
  job_id BYTEA NOT NULL,
  step_index INTEGER NOT NULL,
  input_hash TEXT NOT NULL,
  kind TEXT NOT NULL,
  output TEXT NOT NULL,
  PRIMARY KEY (job_id, step_index, input_hash)
);
)sql";

// The embedded mode's queue; Postgres has no use for it, nor for its letters: they are Kafka's. A
// row of `queue` is what is left to be done: some 40 bytes, the envelope stands in `jobs` alone.
// `seq` is SQLite's rowid, so a job without a session costs no index here. `jobs.queue_seq` is set
// once the job has been queued: what makes the same id twice one job. Times are milliseconds since
// 1970, 0 for none.
constexpr const char* job_queue = R"sql(
ALTER TABLE jobs ADD COLUMN queue_seq BIGINT;
CREATE TABLE queue (
  seq INTEGER NOT NULL PRIMARY KEY,
  job_id BYTEA NOT NULL,
  lane TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  due BIGINT NOT NULL,
  parked SMALLINT NOT NULL,
  begun SMALLINT NOT NULL
);
CREATE INDEX queue_by_lane ON queue (lane) WHERE lane <> '';
CREATE INDEX queue_parked ON queue (due) WHERE parked = 1;
CREATE TABLE dead_letters (
  number INTEGER NOT NULL PRIMARY KEY,
  job_id BYTEA NOT NULL,
  reason TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  died_at BIGINT NOT NULL,
  envelope TEXT NOT NULL,
  redriven_as BYTEA
);
CREATE INDEX dead_letters_by_age ON dead_letters (died_at);
CREATE INDEX dead_letters_by_job ON dead_letters (job_id);
)sql";

// What has been kept long enough is found at its beginning. Rows come at its end: it costs a
// finish next to nothing.
constexpr const char* jobs_by_end = R"sql(
CREATE INDEX jobs_by_end ON jobs (ended_at) WHERE ended_at IS NOT NULL;
)sql";

// A JSON list of {call_id, name, arguments}; empty for most.
constexpr const char* tool_calls = R"sql(
ALTER TABLE jobs ADD COLUMN tool_calls TEXT;
)sql";

constexpr std::array all{
    Migration{1, "jobs_and_steps", jobs_and_steps, jobs_and_steps},
    Migration{2, "job_queue", job_queue, ""},
    Migration{3, "jobs_by_end", jobs_by_end, jobs_by_end},
    Migration{4, "tool_calls", tool_calls, tool_calls},
};

}  // namespace

std::span<const Migration> migrations() {
  return all;
}

}  // namespace millrace
