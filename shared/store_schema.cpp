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

// The embedded mode's queue; Postgres has no use for it, nor for its letters: they are Kafka's. The
// envelope of a letter is empty: what is erased in `jobs` must not stand there. A row of `queue` is
// what is left to be done: some 40 bytes, the envelope stands in `jobs` alone. `seq` is SQLite's
// rowid, so a job without a session costs no index here. `jobs.queue_seq` is set once the job has
// been queued: what makes the same id twice one job. Times are milliseconds since 1970, 0 for none.
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

// A JSON object of {reasoning, refusal}; empty for most.
constexpr const char* asides = R"sql(
ALTER TABLE jobs ADD COLUMN asides TEXT;
)sql";

// Conversations. A turn is `place` 0, the question, and 1, the answer. Rows of jobs go after a
// month, so an answer says for itself what it cost. `metadata`, `token_usage` and `tools_used` are
// JSON.
#define MILLRACE_SESSIONS \
  R"sql(
CREATE TABLE sessions (
  tenant TEXT NOT NULL,
  session_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_accessed BIGINT NOT NULL,
  metadata TEXT NOT NULL,
  PRIMARY KEY (tenant, session_id)
);
CREATE INDEX sessions_by_access ON sessions (last_accessed);
)sql"
#define MILLRACE_MESSAGES \
  R"sql(
  tenant TEXT NOT NULL,
  session_id TEXT NOT NULL,
  turn BIGINT NOT NULL,
  place SMALLINT NOT NULL,
  message_id TEXT NOT NULL,
  role TEXT NOT NULL,
  content TEXT NOT NULL,
  status TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  token_usage TEXT NOT NULL,
  job_id BYTEA NOT NULL,
  model TEXT,
  tools_used TEXT,
  cost DOUBLE PRECISION
);
CREATE UNIQUE INDEX messages_by_session ON messages (tenant, session_id, turn, place);
CREATE UNIQUE INDEX messages_by_job ON messages (job_id, place);
)sql"
#define MILLRACE_HISTORY_FROM                                                            \
  " FROM messages AS asked LEFT JOIN messages AS said ON said.job_id = asked.job_id AND" \
  " said.place = 1 WHERE asked.place = 0;\n"

// Postgres numbers its rows where it is told to, SQLite always; they read JSON and times in words
// of their own. A text that holds U+0000 or U+0001 is written in Postgres as values.h says.
constexpr const char* sqlite_sessions = MILLRACE_SESSIONS
    "CREATE TABLE messages (" MILLRACE_MESSAGES
    "CREATE VIEW chat_history AS SELECT asked.rowid AS id, asked.session_id AS session_id,"
    " asked.content AS user_message, said.content AS assistant_message,"
    " coalesce(said.tools_used, '[]') AS tools_used, said.model AS model_used,"
    " CASE WHEN said.token_usage <> '' THEN json_extract(said.token_usage, '$.total_tokens') END"
    " AS tokens_used, said.cost AS cost,"
    " strftime('%Y-%m-%d %H:%M:%f', asked.created_at / 1000.0, 'unixepoch') AS created_at,"
    " json_object('tenant', asked.tenant, 'message_id', said.message_id, 'status', said.status)"
    " AS extra_metadata" MILLRACE_HISTORY_FROM;
constexpr const char* postgres_sessions = MILLRACE_SESSIONS
    "CREATE TABLE messages (\n  number BIGINT GENERATED ALWAYS AS IDENTITY," MILLRACE_MESSAGES
    "CREATE VIEW chat_history AS SELECT asked.number AS id, asked.session_id AS session_id,"
    " asked.content AS user_message, said.content AS assistant_message,"
    " coalesce(said.tools_used, '[]')::json AS tools_used, said.model AS model_used,"
    " (nullif(said.token_usage, '')::json ->> 'total_tokens')::bigint AS tokens_used,"
    " said.cost AS cost, to_timestamp(asked.created_at / 1000.0) AS created_at,"
    " json_build_object('tenant', asked.tenant, 'message_id', said.message_id, 'status',"
    " said.status) AS extra_metadata" MILLRACE_HISTORY_FROM;

// The cost is exact in a double of at most 15 digits, which Postgres's NUMERIC shows, and adds up,
// as the decimal it was. Tokens are told by the model, and one odd number of its hides no row.
constexpr const char* sqlite_costs =
    "DROP VIEW chat_history;\n"
    "CREATE VIEW chat_history AS SELECT asked.rowid AS id, asked.session_id AS session_id,"
    " asked.content AS user_message, said.content AS assistant_message,"
    " coalesce(said.tools_used, '[]') AS tools_used, said.model AS model_used,"
    " CASE WHEN said.token_usage <> '' AND json_type(said.token_usage, '$.total_tokens') = "
    "'integer'"
    " THEN json_extract(said.token_usage, '$.total_tokens') END"
    " AS tokens_used, said.cost AS cost,"
    " strftime('%Y-%m-%d %H:%M:%f', asked.created_at / 1000.0, 'unixepoch') AS created_at,"
    " json_object('tenant', asked.tenant, 'message_id', said.message_id, 'status', said.status)"
    " AS extra_metadata" MILLRACE_HISTORY_FROM;
constexpr const char* postgres_costs =
    "DROP VIEW chat_history;\n"
    "CREATE VIEW chat_history AS SELECT asked.number AS id, asked.session_id AS session_id,"
    " asked.content AS user_message, said.content AS assistant_message,"
    " coalesce(said.tools_used, '[]')::json AS tools_used, said.model AS model_used,"
    " CASE WHEN nullif(said.token_usage, '')::json ->> 'total_tokens' ~ '^[0-9]{1,18}$'"
    " THEN (said.token_usage::json ->> 'total_tokens')::bigint END AS tokens_used,"
    " said.cost::numeric AS cost, to_timestamp(asked.created_at / 1000.0) AS created_at,"
    " json_build_object('tenant', asked.tenant, 'message_id', said.message_id, 'status',"
    " said.status) AS extra_metadata" MILLRACE_HISTORY_FROM;
#undef MILLRACE_SESSIONS
#undef MILLRACE_MESSAGES
#undef MILLRACE_HISTORY_FROM

// Of a key its SHA-256 alone is kept, as hex. `version` rises over all keys with each change: who
// has read up to one reads what came after it. `rate` is a TokenRate, or empty.
constexpr const char* api_keys = R"sql(
CREATE TABLE api_keys (
  key_id TEXT NOT NULL PRIMARY KEY,
  key_hash TEXT NOT NULL,
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  rate TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_used BIGINT,
  revoked_at BIGINT,
  version BIGINT NOT NULL
);
CREATE UNIQUE INDEX api_keys_by_version ON api_keys (version);
)sql";

// How many jobs of a tenant have not ended: few entries, since they go with the end.
constexpr const char* live_jobs = R"sql(
CREATE INDEX jobs_live ON jobs (tenant) WHERE state < 3;
)sql";

// Postgres has none of these tables.
constexpr const char* letters_of_tenants = R"sql(
ALTER TABLE dead_letters ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
CREATE INDEX dead_letters_by_tenant ON dead_letters (tenant, number);
)sql";

// The outbox of webhooks: a row a job, made by what ends the job. Until `due` a pending one waits,
// or is in a sender's hand; `claims` counts the tries, of which `tries` are those since
// `queued_at`.
constexpr const char* webhooks = R"sql(
CREATE TABLE webhook_deliveries (
  job_id BYTEA NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  url TEXT NOT NULL,
  host TEXT NOT NULL,
  ended_as SMALLINT NOT NULL,
  state SMALLINT NOT NULL,
  claims INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  created_at BIGINT NOT NULL,
  queued_at BIGINT NOT NULL,
  due BIGINT NOT NULL,
  settled_at BIGINT,
  last_status INTEGER,
  last_error TEXT
);
CREATE INDEX webhooks_due ON webhook_deliveries (due, host) WHERE state = 0;
CREATE INDEX webhooks_by_age ON webhook_deliveries (tenant, created_at);
CREATE TABLE webhook_attempts (
  job_id BYTEA NOT NULL,
  number INTEGER NOT NULL,
  at BIGINT NOT NULL,
  took_ms BIGINT NOT NULL,
  status INTEGER NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (job_id, number)
);
CREATE TABLE webhook_secrets (
  tenant TEXT NOT NULL,
  number INTEGER NOT NULL,
  secret TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  PRIMARY KEY (tenant, number)
);
)sql";

// What a session's older messages said, for the model alone; `summary_upto` is the id of the last
// of them.
constexpr const char* session_summary = R"sql(
ALTER TABLE sessions ADD COLUMN summary TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN summary_upto TEXT NOT NULL DEFAULT '';
)sql";

// Ended jobs whose words are to be erased: few entries, since they go with the erasing.
constexpr const char* unkept_jobs = R"sql(
ALTER TABLE jobs ADD COLUMN unkept SMALLINT NOT NULL DEFAULT 0;
CREATE INDEX jobs_unkept ON jobs (ended_at) WHERE unkept = 1;
)sql";

// A host that takes nothing any more keeps nobody else's deliveries waiting behind its own.
constexpr const char* webhooks_by_host = R"sql(
CREATE INDEX webhooks_by_host ON webhook_deliveries (host, due) WHERE state = 0;
)sql";

constexpr std::array all{
    Migration{1, "jobs_and_steps", jobs_and_steps, jobs_and_steps},
    Migration{2, "job_queue", job_queue, ""},
    Migration{3, "jobs_by_end", jobs_by_end, jobs_by_end},
    Migration{4, "tool_calls", tool_calls, tool_calls},
    Migration{5, "sessions", sqlite_sessions, postgres_sessions},
    Migration{6, "chat_costs", sqlite_costs, postgres_costs},
    Migration{7, "api_keys", api_keys, api_keys},
    Migration{8, "live_jobs", live_jobs, live_jobs},
    Migration{9, "letters_of_tenants", letters_of_tenants, ""},
    Migration{10, "webhooks", webhooks, webhooks},
    Migration{11, "asides", asides, asides},
    Migration{12, "session_summary", session_summary, session_summary},
    Migration{13, "unkept_jobs", unkept_jobs, unkept_jobs},
    Migration{14, "webhooks_by_host", webhooks_by_host, webhooks_by_host},
};

}  // namespace

std::span<const Migration> migrations() {
  return all;
}

}  // namespace millrace
