#include "producer/ingress/job_view.h"

#include <algorithm>

namespace millrace {

std::string receipt_json(const Receipt& receipt, std::string_view events_link) {
  return receipt_json(receipt.id, receipt.state, receipt.session, receipt.created_at, events_link);
}

StoredJob merged(StoredJob row, const LogState& log) {
  row.state = log.state;
  row.attempts = std::max(row.attempts, log.attempt);
  row.cancel_wanted = row.cancel_wanted || log.cancel_wanted;
  return row;
}

StoredJob from_log(const JobId& id, const LogState& log) {
  StoredJob job;
  job.id = id;
  job.tenant = log.tenant;
  job.kind = log.kind;
  job.session = log.session;
  job.state = log.state;
  job.cancel_wanted = log.cancel_wanted;
  job.attempts = log.attempt;
  job.created_at = log.created_at;
  job.deadline = log.deadline;
  return job;
}

}  // namespace millrace
