#include "shared/cached_sessions.h"

#include <algorithm>
#include <charconv>

#include "shared/runtime/limits.h"

namespace millrace {
namespace {

constexpr Duration remembered_max = 1h;

/// Stands in the place of a session that is being deleted, so that nobody who read it before puts
/// it there.
constexpr std::string_view mark;
constexpr Duration marked_for = 1min;
constexpr Duration read_within = 20s;
static_assert(read_within + limits::store_timeout + limits::log_command_timeout < marked_for,
              "who has read a session before it was deleted meets the mark, or gives up");

/// No tenant's name holds a `/`.
std::string name_of(std::string_view tenant, std::string_view id) {
  return std::string(tenant).append("/session/").append(id);
}

Duration untold_max(Duration timeout) {
  constexpr int share = 24;
  return std::min(remembered_max, timeout / share);
}

/// `<created_at, ms since 1970> <metadata>`
std::string remembered(const Session& session) {
  return std::to_string(session.created_at.time_since_epoch().count()) + ' ' + session.metadata;
}

std::optional<Session> recalled(std::string_view value) {
  std::int64_t created_at = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), created_at);
  const char* const all = value.data() + value.size();
  if (failed != std::errc() || end == all) return std::nullopt;
  Session session;
  session.created_at = WallTime(std::chrono::milliseconds(created_at));
  session.metadata = std::string(end + 1, all);
  return session;
}

}  // namespace

CachedSessions::CachedSessions(Clock& clock, std::unique_ptr<Sessions> store, SharedCache& cache,
                               Duration timeout)
    : clock_(clock),
      store_(std::move(store)),
      cache_(cache),
      remembered_for_(untold_max(timeout)) {}

Duration CachedSessions::kept_for(Duration timeout) {
  return timeout + untold_max(timeout);
}

Task<Result<Session>> CachedSessions::look(std::string tenant, std::string id) {
  const std::string name = name_of(tenant, id);
  const auto value = co_await cache_.get(name);
  if (value && *value) {
    if (auto session = recalled(**value)) {
      session->id = std::move(id);
      session->tenant = std::move(tenant);
      session->last_accessed = clock_.wall();
      co_return std::move(*session);
    }
  }
  const Instant asked_at = clock_.now();
  auto session = co_await store_->access(tenant, id);
  if (!session || !value) co_return session;
  const Duration took = clock_.now() - asked_at;
  // What does not fit, or does not arrive, is asked of the Store again.
  if (took < read_within && remembered_for_ - took >= 1ms)
    (void)co_await cache_.add(name, remembered(*session), remembered_for_ - took);
  co_return session;
}

Task<Result<>> CachedSessions::forget_and_remove(std::string tenant, std::string id) {
  const auto marked = co_await cache_.set(name_of(tenant, id), std::string(mark), marked_for);
  // A name that is too long for the cache is not in it.
  if (!marked && marked.error() != Errc::invalid) co_return Failure(marked.error());
  co_return co_await store_->remove(tenant, id);
}

}  // namespace millrace
