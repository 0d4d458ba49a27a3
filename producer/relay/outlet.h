#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "producer/relay/metrics.h"
#include "shared/http/message.h"
#include "shared/runtime/clock.h"

namespace millrace::relay {

/// One stream's way out: puts `retry` into the first frame, a heartbeat into every
/// `limits::heartbeat_every` of silence, and counts. Lives inside the coroutine that streams.
class Outlet {
 public:
  /// Whether readers are told when to come back: not those who cannot.
  enum class Retry : std::uint8_t { told, untold };

  Outlet(http::StreamWriter& writer, Clock& clock, RelayMetrics& metrics,
         Retry retry = Retry::told);
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;
  ~Outlet() { add(metrics_.connections, -1); }

  /// Writes whole frames, which must live until the return. False: the reader has gone, or was
  /// cut because it did not read; the stream is over.
  Task<bool> send(std::string_view frames, std::uint64_t events);

  /// Waits for a wake-up or for `until`, silent no longer than a heartbeat apart. False: the
  /// reader has gone.
  Task<bool> rest(Instant until = Instant::max());

  /// When the silence has to be broken. A stream that waits by itself until then, instead of in
  /// `rest`, saves a coroutine's frame for as long as it is idle.
  Instant heartbeat_at() const;
  /// Breaks the silence if it is time to. False: the reader has gone.
  Task<bool> heartbeat_if_due();

  /// Counts a reader that is left behind.
  void cut() { add(metrics_.readers_cut, 1); }
  bool gone() const { return writer_.closed(); }
  bool draining() const { return writer_.draining(); }
  Signal& wake() { return writer_.wake(); }
  Clock& clock() { return clock_; }

 private:
  http::StreamWriter& writer_;
  Clock& clock_;
  RelayMetrics& metrics_;
  Instant wrote_at_;
  bool retry_due_;
};

}  // namespace millrace::relay
