#include <utility>

#include "shared/contract/keys.h"
#include "shared/contract/log_cap.h"
#include "shared/redis/event_log.h"
#include "shared/redis/record.h"

namespace millrace {

using redis::CommandBuffer;
using redis::milliseconds;
using redis::Replies;
using redis::Script;

Task<Result<Accepted>> RedisEventLog::accept(const Job& job, std::string_view fingerprint,
                                             std::string_view queued_line) {
  if (!numbered_after(0, 1, queued_line)) co_return Failure(Errc::invalid);
  const Instant by = commands_.deadline();
  if (job.on_busy == "reject" && !job.session.empty()) {
    const auto joined = co_await join_if_idle(job, by);
    if (!joined) co_return Failure(joined.error());
  }
  const auto fill = [&](CommandBuffer& command) {
    record_parts(job, fingerprint, queued_line, false, command);
  };
  const auto replies = co_await run_script(make_record, by, fill);
  if (!replies) co_return Failure(replies.error());
  const auto reply = replies->front().view();
  Accepted accepted;
  accepted.fresh = reply[0].number() == 1;
  if (!accepted.fresh) {
    accepted.state = redis::state_of(reply[1]);
    accepted.acknowledged = reply[2].number() == 1;
    accepted.fingerprint = reply[3].text();
    if (terminal(accepted.state)) leave_session(job.tenant, job.session, job.id);
    co_return accepted;
  }
  accepted.fingerprint = fingerprint;
  if (job.session.empty()) co_return accepted;
  if (std::cmp_greater(replies->back().view().number(), options_.session_jobs_max)) {
    const auto stays = co_await keep_to_limit(job, by);
    if (!stays) co_return Failure(stays.error());
  }
  tell_session(job);
  co_return accepted;
}

/// An empty line makes the record of a job whose log was lost: it ends at 0 and names no server.
void RedisEventLog::record_parts(const Job& job, std::string_view fingerprint,
                                 std::string_view line, bool acknowledged, CommandBuffer& command) {
  command.part(keys::job(job.id));
  command.part(keys::events(job.id));
  command.part(line.empty() ? std::string_view() : std::string_view(run_id_));
  command.part(fingerprint);
  command.part(job.tenant);
  command.part(job.session);
  command.part(job.kind);
  command.part(milliseconds(job.created_at));
  command.part(milliseconds(job.deadline));
  command.part(acknowledged ? "1" : "");
  command.part(line);
  if (!job.session.empty()) join_session(job, command);
}

void RedisEventLog::acknowledge(const Job& job) {
  if (!commands_.ready()) return;
  buffer_.clear();
  buffer_.command({"EVALSHA", redis::digest(Script::acknowledge), "1", keys::job(job.id)});
  commands_.tell(buffer_);
}

Task<Result<>> RedisEventLog::withdraw(const Job& job) {
  const auto fill = [&](CommandBuffer& command) {
    command.part(keys::job(job.id));
    command.part(keys::events(job.id));
  };
  const auto replies = co_await run_script({Script::withdraw, 2, 0}, commands_.deadline(), fill);
  if (!replies) co_return Failure(replies.error());
  if (replies->front().view().number() == 1) leave_session(job.tenant, job.session, job.id);
  co_return Result<>{};
}

Task<Result<>> RedisEventLog::forget(const JobId& id) {
  const auto fill = [&](CommandBuffer& command) {
    command.part(keys::job(id));
    command.part(keys::events(id));
  };
  const auto replies = co_await run_script({Script::forget, 2, 0}, commands_.deadline(), fill);
  if (!replies) co_return Failure(replies.error());
  if (replies->front().view().number() != 1) co_return Failure(Errc::conflict);
  co_return Result<>{};
}

void RedisEventLog::begin_parts(const BeginRequest& request, CommandBuffer& command) {
  command.part(keys::job(request.job.id));
  command.part(request.token.str());
  command.part(keys::worker_control(request.worker));
  command.part(request.known);
  command.part(request.begun_before ? "1" : "0");
  command.part(request.force ? "1" : "0");
  command.part(milliseconds(options_.lease_for));
  command.part(run_id_);
}

Task<Result<Begun>> RedisEventLog::begin(const BeginRequest& request) {
  constexpr std::int64_t no_record = 3;
  const Instant by = commands_.deadline();
  const auto fill = [&](CommandBuffer& command) { begin_parts(request, command); };
  auto replies = co_await run_script(take_lease, by, fill);
  if (replies && replies->front().view()[0].number() == no_record)
    replies = co_await make_record_and_begin(request, by);
  if (!replies) co_return Failure(replies.error());
  const auto reply = replies->back().view();
  if (reply[0].number() == no_record) co_return Failure(Errc::unavailable);  // lost again
  Begun begun;
  begun.outcome = static_cast<Begun::Outcome>(reply[0].number());
  begun.state = redis::state_of(reply[1]);
  begun.last = static_cast<Seq>(reply[2].number());
  if (reply[3].number() > 0) begun.gap_from = static_cast<Seq>(reply[3].number());
  begun.errors = static_cast<std::uint32_t>(reply[4].number());
  begun.lost_runs = static_cast<std::uint32_t>(reply[5].number());
  begun.cancel_wanted = reply[6].number() == 1;
  begun.busy_for = std::chrono::milliseconds(reply[7].number());
  co_return begun;
}

/// In one trip. A job that nobody began gets its `queued` line again: readers may hold number 1
/// already, so nothing else may take it. The fingerprint is not known here and stays empty.
Task<Result<Replies>> RedisEventLog::make_record_and_begin(const BeginRequest& request,
                                                           Instant by) {
  const Job& job = request.job;
  std::string line;
  const bool log_lost = request.begun_before || request.known > 0;
  if (!log_lost) EventWriter(job.id, job.created_at).queued(line, {1, job.created_at}, -1, -1);
  const auto fill = [&](CommandBuffer& command) {
    record_parts(job, "", line, true, command);
    script(take_lease, command);
    begin_parts(request, command);
  };
  auto replies = co_await run_script(make_record, by, fill);
  if (replies && !job.session.empty()) tell_session(job);
  co_return replies;
}

Task<Result<Appended>> RedisEventLog::append(const AppendRequest& request) {
  // Redis undoes nothing of a script that fails in its middle: what it cannot add is not sent.
  if (!numbered_after(request.expected, request.count, request.lines))
    co_return Failure(Errc::invalid);
  const Instant by = commands_.deadline();
  const auto fill = [&](CommandBuffer& command) {
    command.part(keys::job(request.id));
    command.part(keys::events(request.id));
    command.part(request.token.str());
    command.part(request.expected);
    command.part(request.expected + request.count);
    command.part(run_id_);
    command.part(request.renew ? std::to_string(milliseconds(options_.lease_for)) : std::string());
    command.part(request.state ? to_string(*request.state) : std::string_view());
    command.part(milliseconds(options_.events_ttl));
    command.part(std::uint64_t{options_.log_events_max});
    command.part(std::uint64_t{options_.log_bytes_max});
    command.part(request.lines);
  };
  const auto replies = co_await run_script({Script::append, 2, 10}, by, fill);
  if (!replies) co_return Failure(replies.error());
  const auto reply = replies->front().view();
  const bool ended = reply.size() > 0;
  const std::int64_t said = ended ? reply[0].number() : reply.number();
  if (said == -1) co_return Failure(Errc::fenced);
  if (said == -2) co_return Failure(Errc::lost);
  if (ended) leave_session(reply[1].text(), reply[2].text(), request.id);
  if (said & 2) shorten_soon(request.id, request.token);
  co_return Appended{.cancel_wanted = (said & 1) != 0};
}

/// Not within the append: reading a long log takes hundreds of round trips, and a call that comes
/// near its deadline on a busy server would cost the connection. Where it fails the next append
/// tries again.
void RedisEventLog::shorten_soon(const JobId& id, const Token& token) {
  if (tasks_ && shortening_.insert(id).second) tasks_->start(shorten(id, token));
}

/// Makes a `snapshot` of the old text in a log that has grown too long. What its holder writes
/// meanwhile stays: the script keeps all that is newer than what it replaces.
Task<> RedisEventLog::shorten(JobId id, Token token) {
  const struct Ended {
    std::unordered_set<JobId>& shortening;
    const JobId& id;
    ~Ended() { shortening.erase(id); }
  } ended{shortening_, id};
  const auto found = co_await states_by({&id, 1}, commands_.deadline());
  if (!found || !found->front()) co_return;
  const Seq last = found->front()->last;
  std::string lines;
  for (Seq after = 0; after < last;) {
    const auto page = co_await read_page(id, after, commands_.deadline());
    if (!page || page->lines.empty()) co_return;
    lines += page->lines;
    EventLine event;
    for (std::string_view rest = page->lines; next_event(rest, event);) after = event.seq;
  }
  const KeptEvents kept{
      .events_max = std::min<std::size_t>(1000, options_.log_events_max / 4),
      .bytes_max = std::min<std::size_t>(1024 * 1024, options_.log_bytes_max / 4)};
  const EventWriter writer(id, found->front()->created_at);
  const auto shorter = shortened(lines, writer, clock_.wall(), kept);
  if (shorter.from == 0) co_return;
  const auto fill = [&](CommandBuffer& command) {
    command.part(keys::job(id));
    command.part(keys::events(id));
    command.part(token.str());
    command.part(shorter.from);
    command.part(shorter.lines);
  };
  co_await run_script({Script::compact, 2, 3}, commands_.deadline(), fill);
}

Task<Result<LogState>> RedisEventLog::cancel(const JobId& id) {
  const auto fill = [&](CommandBuffer& command) {
    command.part(keys::job(id));
    command.part(id.str());
    command.command({"TIME"});
    redis::ask_state(command, id);
  };
  const auto replies = co_await run_script({Script::cancel, 1, 1}, commands_.deadline(), fill);
  if (!replies) co_return Failure(replies.error());
  const auto now = redis::server_ms((*replies)[1].view());
  auto state = redis::to_state((*replies)[2].view(), now);
  if (!state) co_return Failure(Errc::not_found);
  co_return std::move(*state);
}

}  // namespace millrace
