#include "shared/redis/record.h"

#include <algorithm>

#include "shared/contract/keys.h"

namespace millrace::redis {
namespace {

constexpr std::string_view state_fields[] = {"state",   "seq",   "attempt", "ack",
                                             "cancel",  "token", "lease",   "tenant",
                                             "session", "kind",  "created", "deadline"};

WallTime wall_time(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

}  // namespace

std::uint64_t milliseconds(WallTime when) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(when.time_since_epoch().count(), 0));
}

std::uint64_t milliseconds(Duration time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

JobState state_of(ReplyView text) {
  return job_state(text.text()).value_or(JobState::queued);
}

std::int64_t server_ms(ReplyView time) {
  return time[0].number() * 1000 + time[1].number() / 1000;
}

void ask_state(CommandBuffer& into, const JobId& id) {
  into.command(2 + std::size(state_fields));
  into.part("HMGET");
  into.part(keys::job(id));
  for (const auto field : state_fields) into.part(field);
}

std::optional<LogState> to_state(ReplyView fields, std::int64_t now_ms) {
  if (fields[0].nil()) return std::nullopt;
  LogState state;
  state.state = state_of(fields[0]);
  state.last = static_cast<Seq>(fields[1].number());
  state.attempt = static_cast<std::uint32_t>(fields[2].number());
  state.acknowledged = fields[3].number() == 1;
  state.cancel_wanted = fields[4].number() == 1;
  state.held = !terminal(state.state) && !fields[5].text().empty() && fields[6].number() > now_ms;
  state.tenant = fields[7].text();
  state.session = fields[8].text();
  state.kind = fields[9].text();
  state.created_at = wall_time(fields[10].number());
  state.deadline = wall_time(fields[11].number());
  return state;
}

}  // namespace millrace::redis
