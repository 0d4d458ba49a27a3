#pragma once
#include <array>
#include <string>
#include <string_view>

namespace millrace::redis {

/// The Lua scripts that change a job's record. Each is atomic: Redis runs nothing else meanwhile.
/// Fields of the job's hash: state, token (empty: nobody holds it), by (who held it last), worker,
/// lease (end, ms of Redis TIME), seq, errors, lost, attempt, cancel, run (server), ack, fp,
/// tenant, session, kind, created, deadline (ms since 1970).
enum class Script : std::uint8_t { accept, acknowledge, withdraw, begin, append, cancel, join };
inline constexpr std::size_t script_count = 7;

std::string_view source(Script script);

/// The hex SHA-1 by which EVALSHA names it.
const std::string& digest(Script script);

}  // namespace millrace::redis
