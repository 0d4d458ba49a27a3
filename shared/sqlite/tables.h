#pragma once
#include "shared/sqlite/api_key_table.h"
#include "shared/sqlite/dead_letter_table.h"
#include "shared/sqlite/job_table.h"
#include "shared/sqlite/old_jobs.h"
#include "shared/sqlite/queue_table.h"
#include "shared/sqlite/session_table.h"
#include "shared/sqlite/webhook_table.h"

namespace millrace::sqlite {

/// The statements of all that shares the file, on one connection.
struct Tables {
  explicit Tables(Database& database)
      : jobs(database),
        sessions(database),
        webhooks(database),
        queue(database),
        letters(database),
        old_jobs(database),
        api_keys(database) {}
  JobTable jobs;
  SessionTable sessions;
  WebhookTable webhooks;
  QueueTable queue;
  DeadLetterTable letters;
  OldJobs old_jobs;
  ApiKeyTable api_keys;
};

}  // namespace millrace::sqlite
