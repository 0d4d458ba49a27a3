#pragma once
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/disk/inbox.h"
#include "shared/runtime/time.h"

namespace millrace::disk {

/// `tenant/session`, with the tenant's length in front: no two sessions share a name.
std::string session_name(std::string_view tenant, std::string_view session);

/// The live jobs of every session that has some, and who listens for more. Any thread.
class Sessions {
 public:
  /// False when it has `jobs_max` others. A job without a session (empty name) is in none.
  bool join(const std::string& name, WallTime created_at, const JobId& id, std::size_t jobs_max);
  void leave(const std::string& name, WallTime created_at, const JobId& id);
  /// Tells who listens that a job has joined: once it can be read.
  void announce(const std::string& name, const JobId& id);

  std::vector<JobId> jobs(const std::string& name) const;  ///< oldest first

  void listen(const std::string& name, Inbox& inbox, std::uint64_t listener);
  void unlisten(const std::string& name, Inbox& inbox);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::set<std::pair<WallTime, JobId>>> live_;
  std::map<std::string, std::vector<Inbox*>> listeners_;
};

}  // namespace millrace::disk
