#pragma once
#include "shared/postgres/caller.h"
#include "shared/sessions.h"

namespace millrace::postgres {

/// One loop's conversations: as Port is its Store.
class SessionsPort final : public Sessions {
 public:
  SessionsPort(Clock& clock, Desk& writes, Desk& reads, Duration timeout)
      : clock_(clock),
        writes_(writes),
        reads_(reads),
        timeout_(std::chrono::ceil<std::chrono::milliseconds>(timeout)),
        caller_(clock) {}

  Task<Result<Session>> create(std::string_view tenant, std::string_view id,
                               std::string_view metadata) override;
  Task<Result<Session>> access(std::string_view tenant, std::string_view id) override;
  Task<Result<>> remove(std::string_view tenant, std::string_view id) override;
  Task<Result<Message>> ask(const Job& job, std::string_view content) override;
  Task<Result<>> withdraw(const Job& job) override;
  Task<Result<std::vector<Message>>> messages(std::string_view tenant, std::string_view id,
                                              std::uint32_t limit,
                                              std::optional<JobId> until) override;

 private:
  Clock& clock_;
  Desk& writes_;
  Desk& reads_;
  const std::chrono::milliseconds timeout_;
  Caller caller_;
};

}  // namespace millrace::postgres
