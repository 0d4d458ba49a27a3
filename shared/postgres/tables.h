#pragma once
#include "shared/postgres/job_table.h"
#include "shared/postgres/old_jobs.h"

namespace millrace::postgres {

/// The statements of all that the Store keeps, on one connection.
struct Tables {
  explicit Tables(Connection& connection) : jobs(connection), old_jobs(connection) {}
  JobTable jobs;
  OldJobs old_jobs;
};

}  // namespace millrace::postgres
