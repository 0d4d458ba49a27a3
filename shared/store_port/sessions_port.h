#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/runtime/clock.h"
#include "shared/sessions.h"

namespace millrace {

/// One loop's conversations: as StorePort is its Store.
template <class Desks>
class SessionsPort final : public Sessions {
  using Tables = typename Desks::Tables;

 public:
  SessionsPort(Clock& clock, typename Desks::Parts parts, Duration timeout)
      : clock_(clock),
        timeout_(std::chrono::ceil<std::chrono::milliseconds>(timeout)),
        desks_(clock, parts) {}

  Task<Result<Session>> create(std::string_view tenant, std::string_view id,
                               std::string_view metadata) override {
    const WallTime now = clock_.wall();
    Session session{.id = std::string(id),
                    .tenant = std::string(tenant),
                    .created_at = now,
                    .last_accessed = now,
                    .metadata = std::string(metadata)};
    return desks_.template write<Session>(
        Desks::lock(tenant, id), metadata.size(),
        [session = std::move(session), since = now - timeout_](Tables& tables) {
          return tables.sessions.create(session, since);
        });
  }

  Task<Result<Session>> access(std::string_view tenant, std::string_view id) override {
    const WallTime now = clock_.wall();
    return desks_.template write<Session>(
        Desks::lock(tenant, id), 0,
        [tenant = std::string(tenant), id = std::string(id), now, since = now - timeout_](
            Tables& tables) { return tables.sessions.access(tenant, id, since, now); });
  }

  Task<Result<>> remove(std::string_view tenant, std::string_view id) override {
    return desks_.template write<void>(
        Desks::lock(tenant, id), 0,
        [tenant = std::string(tenant), id = std::string(id), since = clock_.wall() - timeout_](
            Tables& tables) { return tables.sessions.remove(tenant, id, since); });
  }

  Task<Result<Message>> ask(const Job& job, std::string_view content) override {
    const WallTime now = clock_.wall();
    Message question{.id = question_id(job.id),
                     .role = "user",
                     .content = std::string(content),
                     .created_at = now,
                     .job = job.id};
    return desks_.template write<Message>(
        Desks::lock(job.tenant, job.session), content.size(),
        [tenant = job.tenant, session = job.session, question = std::move(question),
         since = now - timeout_](Tables& tables) {
          return tables.sessions.ask(tenant, session, question, since);
        });
  }

  Task<Result<>> withdraw(const Job& job) override {
    return desks_.template write<void>(Desks::lock(job.id), 0, [id = job.id](Tables& tables) {
      return tables.sessions.withdraw(id);
    });
  }

  Task<Result<std::vector<Message>>> messages(std::string_view tenant, std::string_view id,
                                              std::uint32_t limit,
                                              std::optional<JobId> until) override {
    return desks_.template read<std::vector<Message>>(
        [tenant = std::string(tenant), id = std::string(id), limit, until,
         since = clock_.wall() - timeout_](Tables& tables) {
          return tables.sessions.messages(tenant, id, limit, until, since);
        });
  }

  Task<Result<Summary>> summary(std::string_view tenant, std::string_view id) override {
    return desks_.template read<Summary>([tenant = std::string(tenant), id = std::string(id),
                                          since = clock_.wall() - timeout_](Tables& tables) {
      return tables.sessions.summary(tenant, id, since);
    });
  }

  Task<Result<>> keep_summary(std::string_view tenant, std::string_view id,
                              const Summary& summary) override {
    return desks_.template write<void>(Desks::lock(tenant, id), summary.text.size(),
                                       [tenant = std::string(tenant), id = std::string(id), summary,
                                        since = clock_.wall() - timeout_](Tables& tables) {
                                         return tables.sessions.keep_summary(tenant, id, summary,
                                                                             since);
                                       });
  }

 private:
  Clock& clock_;
  const std::chrono::milliseconds timeout_;
  Desks desks_;
};

}  // namespace millrace
