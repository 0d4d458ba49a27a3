#include "producer/relay/outlet.h"

#include <algorithm>

#include "producer/relay/sse.h"
#include "shared/runtime/limits.h"

namespace millrace::relay {

Outlet::Outlet(http::StreamWriter& writer, Clock& clock, RelayMetrics& metrics, Retry retry)
    : writer_(writer),
      clock_(clock),
      metrics_(metrics),
      wrote_at_(clock.now()),
      retry_due_(retry == Retry::told) {
  add(metrics_.connections, 1);
}

Task<bool> Outlet::send(std::string_view frames, std::uint64_t events) {
  std::string with_retry;
  if (retry_due_) {
    retry_due_ = false;
    frames = with_retry.append(retry_line).append(frames);
  }
  const auto sent = co_await writer_.write(frames);
  wrote_at_ = clock_.now();
  if (!sent) {
    if (sent.error() == Errc::timed_out) cut();
    co_return false;
  }
  add(metrics_.events_sent, static_cast<std::int64_t>(events));
  add(metrics_.bytes_sent, static_cast<std::int64_t>(frames.size()));
  co_return true;
}

Instant Outlet::heartbeat_at() const {
  return wrote_at_ + limits::heartbeat_every;
}

Task<bool> Outlet::heartbeat_if_due() {
  if (clock_.now() < heartbeat_at()) co_return !writer_.closed();
  const auto sent = co_await writer_.write(heartbeat);
  wrote_at_ = clock_.now();
  if (!sent && sent.error() == Errc::timed_out) cut();
  if (sent) add(metrics_.heartbeats_sent, 1);
  co_return sent.has_value();
}

Task<bool> Outlet::rest(Instant until) {
  const bool woken = co_await writer_.wake().wait_until(std::min(until, heartbeat_at()));
  if (woken) co_return !writer_.closed();
  co_return co_await heartbeat_if_due();
}

}  // namespace millrace::relay
