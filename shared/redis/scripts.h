#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::redis {

/// The Lua scripts that change a job's record, and the one that takes tokens out of a bucket. Each
/// is atomic: Redis runs nothing else meanwhile. None names a key it was not given, but for the
/// channel of a worker.
///
/// Fields of the job's hash: state; token (empty: nobody holds it), by (who held it last), control
/// (channel of the holder), lease (its end, ms of Redis TIME); seq (of the last event), events,
/// bytes (in the stream); errors, lost, attempt (absent: never begun), cancel; run (of the server
/// that served the last begin); gap_at, gap_from (the jump made at that seq); ack, fp, tenant,
/// session, kind, created, deadline (ms since 1970).
/// An entry of the stream: id `<seq>-0`, field `e`, value `<type> SP <json>`.
/// Fields of a bucket's hash: tokens, and at (µs of Redis TIME) when they were so many.
enum class Script : std::uint8_t {
  accept,
  acknowledge,
  withdraw,
  forget,
  begin,
  append,
  compact,
  cancel,
  take,
  join_idle
};
inline constexpr std::size_t script_count = 10;

std::string_view source(Script script);

/// The hex SHA-1 by which EVALSHA names it.
const std::string& digest(Script script);

}  // namespace millrace::redis
