#include <algorithm>

#include "shared/contract/keys.h"
#include "shared/redis/event_log.h"
#include "shared/redis/record.h"

namespace millrace {

using redis::CommandBuffer;
using redis::milliseconds;
using redis::Script;

namespace {

/// A job without a record is taken for one that is being accepted until it is this old.
constexpr auto accepting_max = std::chrono::minutes(1);

/// A session nobody adds to is forgotten once none of its jobs can be alive.
constexpr Duration session_kept = limits::deadline_max + 24h;

}  // namespace

Task<Result<LogPage>> RedisEventLog::read(const JobId& id, Seq after) {
  auto page = co_await read_page(id, after, commands_.deadline());
  co_return page;
}

Task<Result<LogPage>> RedisEventLog::read_page(JobId id, Seq after, Instant by) {
  // The hash first: a state that is newer than the lines would end a reader too early.
  buffer_.clear();
  buffer_.command({"HMGET", keys::job(id), "state", "seq", "tenant"});
  buffer_.command(6);
  buffer_.part("XRANGE");
  buffer_.part(keys::events(id));
  buffer_.part("(", std::to_string(after), "-0");
  buffer_.part("+");
  buffer_.part("COUNT");
  buffer_.part(std::uint64_t{limits::log_page_events + 1});
  const auto replies = co_await ask(buffer_, by);
  if (!replies) co_return Failure(replies.error());
  const auto record = (*replies)[0].view();
  const auto entries = (*replies)[1].view();
  if (record[0].nil()) co_return Failure(Errc::not_found);
  LogPage page;
  page.state = redis::state_of(record[0]);
  page.last = static_cast<Seq>(record[1].number());
  page.tenant = record[2].text();
  page.more = entries.size() > limits::log_page_events;
  const std::size_t count = std::min(entries.size(), limits::log_page_events);
  for (std::size_t i = 0; i < count; ++i) {
    const auto number = entries[i][0].text();
    page.lines.append(number.substr(0, number.find('-'))).append(" ");
    page.lines.append(entries[i][1][1].text()).append("\n");
  }
  if (entries.size() > 0) {
    const auto newest = static_cast<Seq>(entries[entries.size() - 1][0].number());
    page.last = std::max(page.last, newest);
  }
  co_return page;
}

Task<Result<std::vector<std::optional<LogState>>>> RedisEventLog::states(
    std::span<const JobId> ids) {
  auto found = co_await states_by(ids, commands_.deadline());
  co_return found;
}

Task<Result<std::vector<std::optional<LogState>>>> RedisEventLog::states_by(
    std::span<const JobId> ids, Instant by) {
  buffer_.clear();
  buffer_.command({"TIME"});
  for (const auto& id : ids) redis::ask_state(buffer_, id);
  const auto replies = co_await ask(buffer_, by);
  if (!replies) co_return Failure(replies.error());
  const auto now = redis::server_ms(replies->front().view());
  std::vector<std::optional<LogState>> found;
  found.reserve(replies->size() - 1);
  for (std::size_t i = 1; i < replies->size(); ++i)
    found.push_back(redis::to_state((*replies)[i].view(), now));
  co_return found;
}

/// Puts the job among the live ones of its session; the last reply says how many there are.
void RedisEventLog::join_session(const Job& job, CommandBuffer& command) {
  const std::string key = keys::session_live(job.tenant, job.session);
  const auto created_ms = std::to_string(milliseconds(job.created_at));
  const auto kept_ms = std::to_string(milliseconds(session_kept));
  command.command({"ZADD", key, "NX", created_ms, job.id.str()});
  command.command({"PEXPIRE", key, kept_ms});
  command.command({"ZCARD", key});
}

/// A session is on another node of a cluster than its jobs, so its script cannot see which of them
/// have ended: where some are listed they are looked at, and it is asked once more.
Task<Result<>> RedisEventLog::join_if_idle(const Job& job, Instant by) {
  const std::string key = keys::session_live(job.tenant, job.session);
  const auto fill = [&](CommandBuffer& command) {
    command.part(key);
    command.part(milliseconds(job.created_at));
    command.part(job.id.str());
    command.part(milliseconds(session_kept));
  };
  for (std::uint32_t tries = 0; tries < 2; ++tries) {
    const auto replies = co_await run_script({Script::join_idle, 1, 3}, by, fill);
    if (!replies) co_return Failure(replies.error());
    if (replies->front().view().number() == 1) co_return Result<>{};
    const auto own = co_await states_by({&job.id, 1}, by);
    if (!own) co_return Failure(own.error());
    if (own->front()) co_return Result<>{};  // accepted before: what stands is told
    const auto live = co_await live_jobs(key, by);
    if (!live) co_return Failure(live.error());
    if (!live->empty()) break;
  }
  co_return Failure(Errc::conflict);
}

void RedisEventLog::tell_session(const Job& job) {
  buffer_.clear();
  buffer_.command({"PUBLISH", keys::session_live(job.tenant, job.session), job.id.str()});
  commands_.tell(buffer_);
}

/// A session beyond its limit has first to let go of what has ended: a ZREM that was lost must not
/// fill it for ever. Where it is full all the same the job was never accepted.
Task<Result<>> RedisEventLog::keep_to_limit(const Job& job, Instant by) {
  const auto live = co_await live_jobs(keys::session_live(job.tenant, job.session), by);
  if (!live) co_return Failure(live.error());
  if (live->size() <= options_.session_jobs_max) co_return Result<>{};
  const auto withdrawn = co_await withdraw(job);
  co_return Failure(withdrawn ? Errc::overloaded : withdrawn.error());
}

Task<Result<std::vector<JobId>>> RedisEventLog::session_jobs(std::string_view tenant,
                                                             std::string_view session) {
  auto ids = co_await live_jobs(keys::session_live(tenant, session), commands_.deadline());
  co_return ids;
}

/// Takes out those that have ended on the way.
Task<Result<std::vector<JobId>>> RedisEventLog::live_jobs(std::string key, Instant by) {
  buffer_.clear();
  buffer_.command({"ZRANGE", key, "0", "-1", "WITHSCORES"});
  const auto replies = co_await ask(buffer_, by);
  if (!replies) co_return Failure(replies.error());
  const auto members = replies->front().view();
  std::vector<JobId> ids;
  std::vector<std::int64_t> created_ms;
  for (std::size_t i = 0; i + 1 < members.size(); i += 2) {
    const auto id = JobId::parse(members[i].text());
    if (!id) continue;
    ids.push_back(*id);
    created_ms.push_back(members[i + 1].number());
  }
  if (ids.empty()) co_return ids;
  const auto found = co_await states_by(ids, by);
  if (!found) co_return Failure(found.error());
  const auto new_since = (clock_.wall() - accepting_max).time_since_epoch().count();
  std::vector<JobId> live;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& state = (*found)[i];
    if (state ? !terminal(state->state) : created_ms[i] > new_since)
      live.push_back(ids[i]);
    else
      leave_session(key, ids[i]);
  }
  co_return live;
}

void RedisEventLog::leave_session(std::string_view tenant, std::string_view session,
                                  const JobId& id) {
  if (!session.empty()) leave_session(keys::session_live(tenant, session), id);
}

void RedisEventLog::leave_session(const std::string& key, const JobId& id) {
  if (!commands_.ready()) return;
  CommandBuffer command;
  command.command({"ZREM", key, id.str()});
  commands_.tell(command);
}

Task<Result<std::string>> RedisEventLog::claim_store(std::string_view store_id) {
  buffer_.clear();
  buffer_.command({"SET", keys::store_id, store_id, "NX"});
  buffer_.command({"GET", keys::store_id});
  const auto replies = co_await ask(buffer_, commands_.deadline());
  if (!replies) co_return Failure(replies.error());
  const auto standing = (*replies)[1].view();
  if (standing.nil()) co_return Failure(Errc::unavailable);  // flushed between the two
  co_return std::string(standing.text());
}

}  // namespace millrace
