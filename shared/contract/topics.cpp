#include "shared/contract/topics.h"

namespace millrace::topics {

std::string_view for_job(const Job& job) {
  if (!job.session.empty()) return jobs[0];
  if (job.kind == "analysis") return jobs[2];
  if (job.kind == "batch_part") return jobs[3];
  return jobs[1];
}

std::string full(std::string_view prefix, std::string_view suffix) {
  std::string name;
  name.reserve(prefix.size() + 1 + suffix.size());
  name.append(prefix).append(".").append(suffix);
  return name;
}

}  // namespace millrace::topics
