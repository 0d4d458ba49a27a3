#pragma once
#include <memory>
#include <string>

#include "shared/runtime/clock.h"
#include "shared/sessions.h"
#include "shared/shared_cache.h"

namespace millrace {

/// The conversations, with a memory of which sessions live: `access` of one that was accessed in
/// the last hour is answered from the cache, where the Store has to read and to commit. All else is
/// the Store's, and so is `access` where the cache is away or has lost everything.
///
/// Never early: such accesses are not told to the Store, so it keeps a session for
/// `kept_for(timeout)`, and none is remembered for longer than the difference. Never a deleted one:
/// before the Store deletes it, the cache is told to remember it no more; where that cannot be
/// done, `remove` fails as the cache did and has done nothing.
///
/// One object a loop; the cache and the clock outlive it.
class CachedSessions final : public Sessions {
 public:
  /// `store` keeps sessions for `kept_for(timeout)`.
  CachedSessions(Clock& clock, std::unique_ptr<Sessions> store, SharedCache& cache,
                 Duration timeout);

  static Duration kept_for(Duration timeout);

  Task<Result<Session>> create(std::string_view tenant, std::string_view id,
                               std::string_view metadata) override {
    return store_->create(tenant, id, metadata);
  }
  Task<Result<Session>> access(std::string_view tenant, std::string_view id) override {
    return look(std::string(tenant), std::string(id));
  }
  Task<Result<>> remove(std::string_view tenant, std::string_view id) override {
    return forget_and_remove(std::string(tenant), std::string(id));
  }
  Task<Result<Message>> ask(const Job& job, std::string_view content) override {
    return store_->ask(job, content);
  }
  Task<Result<>> withdraw(const Job& job) override { return store_->withdraw(job); }
  Task<Result<std::vector<Message>>> messages(std::string_view tenant, std::string_view id,
                                              std::uint32_t limit,
                                              std::optional<JobId> until) override {
    return store_->messages(tenant, id, limit, until);
  }
  Task<Result<Summary>> summary(std::string_view tenant, std::string_view id) override {
    return store_->summary(tenant, id);
  }
  Task<Result<>> keep_summary(std::string_view tenant, std::string_view id,
                              const Summary& summary) override {
    return store_->keep_summary(tenant, id, summary);
  }

 private:
  Task<Result<Session>> look(std::string tenant, std::string id);
  Task<Result<>> forget_and_remove(std::string tenant, std::string id);

  Clock& clock_;
  std::unique_ptr<Sessions> store_;
  SharedCache& cache_;
  const Duration remembered_for_;
};

}  // namespace millrace
