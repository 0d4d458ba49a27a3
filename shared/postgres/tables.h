#pragma once
#include "shared/postgres/api_key_table.h"
#include "shared/postgres/job_table.h"
#include "shared/postgres/old_jobs.h"
#include "shared/postgres/session_table.h"
#include "shared/postgres/webhook_table.h"

namespace millrace::postgres {

/// The statements of all that the Store keeps, on one connection.
struct Tables {
  explicit Tables(Connection& connection)
      : jobs(connection),
        sessions(connection),
        webhooks(connection),
        old_jobs(connection),
        api_keys(connection) {}
  JobTable jobs;
  SessionTable sessions;
  WebhookTable webhooks;
  OldJobs old_jobs;
  ApiKeyTable api_keys;
};

}  // namespace millrace::postgres
