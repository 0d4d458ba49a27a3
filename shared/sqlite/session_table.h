#pragma once
#include <optional>
#include <string>
#include <vector>

#include "shared/sessions.h"
#include "shared/sqlite/database.h"

namespace millrace::sqlite {

/// The statements of the conversations over one connection; as with JobTable. A session that was
/// not accessed since `alive_since` is `not_found`.
class SessionTable {
 public:
  explicit SessionTable(Database& database);

  /// `conflict`: there is one that lives. What is left of one that does not goes first.
  Result<Session> create(const Session& session, WallTime alive_since);
  /// As accessed `now`.
  Result<Session> access(std::string_view tenant, std::string_view id, WallTime alive_since,
                         WallTime now);
  Result<> remove(std::string_view tenant, std::string_view id, WallTime alive_since);
  Result<Message> ask(std::string_view tenant, std::string_view session, const Message& question,
                      WallTime alive_since);
  Result<> withdraw(const JobId& job);
  Result<std::vector<Message>> messages(std::string_view tenant, std::string_view id,
                                        std::uint32_t limit, std::optional<JobId> until,
                                        WallTime alive_since);
  Result<Summary> summary(std::string_view tenant, std::string_view id, WallTime alive_since);
  Result<> keep_summary(std::string_view tenant, std::string_view id, const Summary& summary,
                        WallTime alive_since);
  /// The oldest that were not accessed since, with their messages, at most `sessions_max`; says how
  /// many.
  Result<std::int64_t> remove_expired(WallTime alive_since, std::int64_t sessions_max);

 private:
  Result<Session> find(std::string_view tenant, std::string_view id, WallTime alive_since);
  Result<> erase(std::string_view tenant, std::string_view id);
  Result<bool> live(std::string_view tenant, std::string_view id, WallTime alive_since,
                    WallTime now);
  Result<std::optional<std::int64_t>> turn_of(const JobId& job);

  Database& database_;
  Statement create_;
  Statement find_;
  Statement touch_;
  Statement unkeep_;
  Statement remove_messages_;
  Statement remove_;
  Statement ask_;
  Statement withdraw_;
  Statement turn_of_;
  Statement messages_;
  Statement summary_;
  Statement keep_summary_;
  Statement expired_;
};

}  // namespace millrace::sqlite
