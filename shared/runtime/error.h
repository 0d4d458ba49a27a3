#pragma once
#include <expected>
#include <string_view>

namespace millrace {

/// Why an operation failed. Each code changes what some caller does next; details are logged
/// where they are known.
enum class Errc {
  closed = 1,   ///< the service or the peer has gone for good
  cancelled,    ///< somebody asked for the end
  timed_out,    ///< no answer in time: it may or may not have happened
  unavailable,  ///< it did not happen, and a later try may succeed
  full,         ///< it did not happen: no room on the disk until somebody makes some
  not_found,    ///< there is no such thing
  conflict,     ///< another value stands there
  fenced,       ///< the lease belongs to somebody else: stop writing
  lost,         ///< the event log no longer has the record: begin again
  overloaded,   ///< a bounded queue is full: try again later
  invalid,      ///< the input is malformed; trying again is pointless
  corrupt,      ///< stored data does not read as what was written
};

std::string_view to_string(Errc error) noexcept;

/// What a write comes to that the system refused with this errno: `full` or `unavailable`.
Errc refused_write(int why) noexcept;

/// True where the same call may succeed later: what has to be done is tried again.
constexpr bool retryable(Errc error) noexcept {
  return error == Errc::timed_out || error == Errc::unavailable || error == Errc::full ||
         error == Errc::overloaded;
}

template <class T = void>
using Result = std::expected<T, Errc>;
using Failure = std::unexpected<Errc>;

}  // namespace millrace
