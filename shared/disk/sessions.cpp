#include "shared/disk/sessions.h"

#include <algorithm>

namespace millrace::disk {

std::string session_name(std::string_view tenant, std::string_view session) {
  if (session.empty()) return {};
  std::string name = std::to_string(tenant.size());
  return name.append(":").append(tenant).append("/").append(session);
}

bool Sessions::join(const std::string& name, WallTime created_at, const JobId& id,
                    std::size_t jobs_max) {
  if (name.empty()) return true;
  const std::lock_guard lock(mutex_);
  const auto found = live_.find(name);
  if (found != live_.end() && found->second.size() >= jobs_max) return false;
  live_[name].emplace(created_at, id);
  return true;
}

void Sessions::leave(const std::string& name, WallTime created_at, const JobId& id) {
  if (name.empty()) return;
  const std::lock_guard lock(mutex_);
  const auto found = live_.find(name);
  if (found == live_.end()) return;
  found->second.erase({created_at, id});
  if (found->second.empty()) live_.erase(found);
}

void Sessions::announce(const std::string& name, const JobId& id) {
  if (name.empty()) return;
  const std::lock_guard lock(mutex_);
  const auto found = listeners_.find(name);
  if (found == listeners_.end()) return;
  for (Inbox* const inbox : found->second) inbox->put_joined(id, name);
}

std::vector<JobId> Sessions::jobs(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  std::vector<JobId> ids;
  const auto found = live_.find(name);
  if (found == live_.end()) return ids;
  ids.reserve(found->second.size());
  for (const auto& [created_at, id] : found->second) ids.push_back(id);
  return ids;
}

void Sessions::listen(const std::string& name, Inbox& inbox, std::uint64_t listener) {
  const std::lock_guard lock(mutex_);
  auto& listeners = listeners_[name];
  if (std::ranges::find(listeners, &inbox) == listeners.end()) listeners.push_back(&inbox);
  inbox.put_listening(listener);
}

void Sessions::unlisten(const std::string& name, Inbox& inbox) {
  const std::lock_guard lock(mutex_);
  const auto found = listeners_.find(name);
  if (found == listeners_.end()) return;
  std::erase(found->second, &inbox);
  if (found->second.empty()) listeners_.erase(found);
}

}  // namespace millrace::disk
