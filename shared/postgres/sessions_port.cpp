#include "shared/postgres/sessions_port.h"

namespace millrace::postgres {
namespace {

/// Where a session's row stands in the order in which batches lock.
JobId lock_of(std::string_view tenant, std::string_view id) {
  return derived_job_id(tenant, id);
}

}  // namespace

Task<Result<Session>> SessionsPort::create(std::string_view tenant, std::string_view id,
                                           std::string_view metadata) {
  const WallTime now = clock_.wall();
  Session session{.id = std::string(id),
                  .tenant = std::string(tenant),
                  .created_at = now,
                  .last_accessed = now,
                  .metadata = std::string(metadata)};
  return caller_.ask<Session>(
      writes_, lock_of(tenant, id), metadata.size(),
      [session = std::move(session), since = now - timeout_](Tables& tables) {
        return tables.sessions.create(session, since);
      });
}

Task<Result<Session>> SessionsPort::access(std::string_view tenant, std::string_view id) {
  const WallTime now = clock_.wall();
  return caller_.ask<Session>(
      writes_, lock_of(tenant, id), 0,
      [tenant = std::string(tenant), id = std::string(id), now, since = now - timeout_](
          Tables& tables) { return tables.sessions.access(tenant, id, since, now); });
}

Task<Result<>> SessionsPort::remove(std::string_view tenant, std::string_view id) {
  return caller_.ask<void>(
      writes_, lock_of(tenant, id), 0,
      [tenant = std::string(tenant), id = std::string(id), since = clock_.wall() - timeout_](
          Tables& tables) { return tables.sessions.remove(tenant, id, since); });
}

Task<Result<Message>> SessionsPort::ask(const Job& job, std::string_view content) {
  const WallTime now = clock_.wall();
  Message question{.id = question_id(job.id),
                   .role = "user",
                   .content = std::string(content),
                   .created_at = now,
                   .job = job.id};
  return caller_.ask<Message>(
      writes_, lock_of(job.tenant, job.session), content.size(),
      [tenant = job.tenant, session = job.session, question = std::move(question),
       since = now - timeout_](Tables& tables) {
        return tables.sessions.ask(tenant, session, question, since);
      });
}

Task<Result<>> SessionsPort::withdraw(const Job& job) {
  return caller_.ask<void>(writes_, job.id, 0,
                           [id = job.id](Tables& tables) { return tables.sessions.withdraw(id); });
}

Task<Result<std::vector<Message>>> SessionsPort::messages(std::string_view tenant,
                                                          std::string_view id, std::uint32_t limit,
                                                          std::optional<JobId> until) {
  return caller_.ask<std::vector<Message>>(
      reads_, {}, 0,
      [tenant = std::string(tenant), id = std::string(id), limit, until,
       since = clock_.wall() - timeout_](Tables& tables) {
        return tables.sessions.messages(tenant, id, limit, until, since);
      });
}

}  // namespace millrace::postgres
