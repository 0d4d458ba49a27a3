#pragma once
#include <cstdint>
#include <optional>

#include "shared/event_log.h"
#include "shared/redis/command_buffer.h"
#include "shared/redis/reply.h"

/// How a job's record looks in commands and replies.
namespace millrace::redis {

std::uint64_t milliseconds(WallTime when);
std::uint64_t milliseconds(Duration time);

JobState state_of(ReplyView text);

/// Milliseconds since 1970 from a reply to TIME.
std::int64_t server_ms(ReplyView time);

/// Asks for what `to_state` reads.
void ask_state(CommandBuffer& into, const JobId& id);
/// Nothing where there is no record.
std::optional<LogState> to_state(ReplyView fields, std::int64_t now_ms);

}  // namespace millrace::redis
