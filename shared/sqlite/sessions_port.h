#pragma once
#include "shared/sessions.h"
#include "shared/sqlite/caller.h"
#include "shared/sqlite/threads.h"

namespace millrace::sqlite {

/// One loop's conversations: as Port is its Store.
class SessionsPort final : public Sessions {
 public:
  SessionsPort(Clock& clock, ReplyRouter& replies, CallQueue& writes, CallQueue& reads,
               Duration timeout)
      : clock_(clock),
        writes_(writes),
        reads_(reads),
        timeout_(std::chrono::ceil<std::chrono::milliseconds>(timeout)),
        caller_(clock, replies) {}

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
  CallQueue& writes_;
  CallQueue& reads_;
  const std::chrono::milliseconds timeout_;
  Caller caller_;
};

}  // namespace millrace::sqlite
