#include "workers/webhooks/delivery_body.h"

#include "shared/contract/webhook.h"
#include "shared/job_json.h"
#include "shared/runtime/time.h"

namespace millrace {
namespace {

std::string job_data(const StoredJob& job, bool with_result) {
  const Job accepted = job_of(job);
  return job_json(job, &accepted, {.events = job_path(job.id) + "/events", .input = {}},
                  with_result);
}

}  // namespace

std::string delivery_body(const StoredJob& job) {
  std::string data = job_data(job, true);
  if (data.size() > delivery_body_bytes_max) {
    data = job_data(job, false);
    data.pop_back();
    data += R"(,"result_omitted":true})";
  }
  std::string body = R"({"type":")";
  body.append(end_event(job.state)).append(R"(","timestamp":")");
  append_rfc3339(body, job.ended_at.value_or(job.created_at));
  body.append(R"(","data":)").append(data).append("}");
  return body;
}

}  // namespace millrace
