#pragma once
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "shared/memory/bugs.h"
#include "shared/store.h"

namespace millrace::memory {

/// The truth behind every MemoryStore. One call is one committed transaction.
class Tables {
 public:
  using Time = std::function<WallTime()>;
  /// An outcome was set, for those who watch the world.
  using OnFinish = std::function<void(const JobId&, const Outcome&)>;

  Tables(Time time, std::string id, const Bugs& bugs)
      : time_(std::move(time)), id_(std::move(id)), bugs_(bugs) {}
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;

  // --- what ports ask; see Store
  void note(const Job& job, const std::string& fingerprint);
  BegunJob begin(const Job& job, std::uint32_t attempt);
  Result<> save_step(const JobId& id, const Step& step);
  Finished finish(const Job& job, const Outcome& outcome, const Step* step);
  Result<StoredJob> want_cancel(const std::string& tenant, const JobId& id);
  Result<StoredJob> find(const JobId& id) const;
  std::uint64_t count_live(const std::string& tenant, std::uint64_t most) const;
  void redact(const Job& job);
  std::vector<StoredJob> unkept(WallTime ended_before, std::uint32_t limit) const;
  Result<StoredJob> find(const std::string& tenant, const JobId& id) const;
  Result<std::vector<StoredJob>> list(const JobFilter& filter) const;
  const std::string& id() const { return id_; }

  // --- what is seen from above
  /// Null where no row is.
  const StoredJob* row(const JobId& id) const;
  std::vector<const StoredJob*> rows() const;
  const std::vector<Step>& steps(const JobId& id) const;
  void on_finish(OnFinish hear) { finished_ = std::move(hear); }

 private:
  StoredJob& upsert(const Job& job);
  void keep_step(const JobId& id, const Step& step);
  void set_outcome(StoredJob& row, const Outcome& outcome);

  Time time_;
  std::string id_;
  const Bugs& bugs_;
  std::unordered_map<JobId, StoredJob> rows_;
  std::unordered_map<JobId, std::vector<Step>> steps_;
  std::set<JobId> unkept_;
  OnFinish finished_;
};

}  // namespace millrace::memory
