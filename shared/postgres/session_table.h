#pragma once
#include <optional>
#include <string>
#include <vector>

#include "shared/postgres/connection.h"
#include "shared/sessions.h"

namespace millrace::postgres {

/// The statements of the conversations over one connection; as with JobTable. A session that was
/// not accessed since `alive_since` is `not_found`.
class SessionTable {
 public:
  explicit SessionTable(Connection& connection) : connection_(connection) {}

  /// `conflict`: there is one that lives. What is left of one that does not goes first.
  Task<Result<Session>> create(const Session& session, WallTime alive_since);
  /// As accessed `now`.
  Task<Result<Session>> access(const std::string& tenant, const std::string& id,
                               WallTime alive_since, WallTime now);
  Task<Result<>> remove(const std::string& tenant, const std::string& id, WallTime alive_since);
  Task<Result<Message>> ask(const std::string& tenant, const std::string& session,
                            const Message& question, WallTime alive_since);
  Task<Result<>> withdraw(const JobId& job);
  Task<Result<std::vector<Message>>> messages(const std::string& tenant, const std::string& id,
                                              std::uint32_t limit, std::optional<JobId> until,
                                              WallTime alive_since);
  Task<Result<Summary>> summary(const std::string& tenant, const std::string& id,
                                WallTime alive_since);
  Task<Result<>> keep_summary(const std::string& tenant, const std::string& id,
                              const Summary& summary, WallTime alive_since);
  /// The oldest that were not accessed since, with their messages, at most `sessions_max`, but for
  /// those that another process has in hand; says how many.
  Task<Result<std::int64_t>> remove_expired(WallTime alive_since, std::int64_t sessions_max);

 private:
  Connection& connection_;
};

}  // namespace millrace::postgres
