#include "shared/contract/job.h"

namespace millrace {

std::string Job::key() const {
  if (session.empty()) return id.str();
  std::string key;
  key.reserve(tenant.size() + 1 + session.size());
  key.append(tenant).append("/").append(session);
  return key;
}

}  // namespace millrace
