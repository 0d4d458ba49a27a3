#include "shared/contract/keys.h"

namespace millrace::keys {
namespace {

std::string of_job(const JobId& id, std::string_view suffix) {
  std::string key;
  key.reserve(5 + 36 + suffix.size());
  key += "mr:{";
  id.append_to(key);
  key.append(suffix);
  return key;
}

}  // namespace

std::string job(const JobId& id) {
  return of_job(id, "}:job");
}
std::string events(const JobId& id) {
  return of_job(id, "}:events");
}

std::string session_live(std::string_view tenant, std::string_view session) {
  std::string key = "mr:{";
  key.append(tenant).append("/").append(session).append("}:live");
  return key;
}

std::string worker_control(std::string_view worker) {
  return std::string("mr:worker:").append(worker);
}

std::string cached(std::string_view name) {
  return std::string("mr:cached:").append(name);
}
std::string bucket(std::string_view name) {
  return std::string("mr:bucket:").append(name);
}

}  // namespace millrace::keys
