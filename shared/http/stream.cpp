#include "shared/http/stream.h"

#include <boost/asio/post.hpp>
#include <charconv>

namespace millrace::http {
namespace {

/// A client has nothing to say during a response; one that talks on is cut.
constexpr std::size_t ignored_bytes_max = 64 * 1024;

}  // namespace

Stream::Stream(Wire& wire, Start start)
    : wire_(wire), wake_(wire.context().clock), start_(std::move(start)) {
  wire_.context().counts.streams.fetch_add(1, std::memory_order_relaxed);
}

Stream::~Stream() {
  wire_.context().counts.streams.fetch_sub(1, std::memory_order_relaxed);
}

Task<> Stream::open() {
  watch();
  ++callbacks_;
  asio::post(wire_.context().clock.loop(), [this] {
    --callbacks_;
    flush_head();
  });
  return start_.body(*this);
}

void Stream::flush_head() {
  if (letting_go_) return wake_.notify();
  if (start_.head.empty() || writing_ || closed_) return;
  Buffers parts{asio::buffer(start_.head)};
  const auto all = wire_.push(parts);
  if (!all) return gone();
  if (*all) {
    free_memory(start_.head);
    return;
  }
  // Only behind an unread earlier response: the rest goes when there is room.
  start_.head.erase(0, start_.head.size() - parts[0].size());
  ++callbacks_;
  wire_.socket().async_wait(Socket::wait_write, [this](boost::system::error_code) {
    --callbacks_;
    flush_head();
  });
}

void Stream::watch() {
  ++callbacks_;
  wire_.socket().async_wait(Socket::wait_read, [this](boost::system::error_code error) {
    --callbacks_;
    on_readable(error);
  });
}

void Stream::on_readable(const boost::system::error_code& waited) {
  if (letting_go_) return wake_.notify();
  if (waited) return;  // a stalled write has ended every wait; it tells the body
  auto& scratch = wire_.context().scratch;
  boost::system::error_code error;
  ignored_bytes_ += wire_.socket().read_some(asio::buffer(scratch), error);
  const bool left = error && error != asio::error::would_block;
  if (left || ignored_bytes_ > ignored_bytes_max) return gone();
  watch();
}

void Stream::gone() {
  closed_ = true;
  wire_.cancel_waits();
  wake_.notify();
}

Task<Result<>> Stream::write(std::string_view bytes) {
  if (bytes.empty()) co_return Result<>{};  // an empty chunk would end the body
  if (start_.bytes && bytes.size() > *start_.bytes) co_return Failure(Errc::closed);
  std::array<char, 20> size;
  Buffers parts{asio::buffer(start_.head), {}, asio::buffer(bytes), {}};
  if (start_.chunked) {
    char* end = std::to_chars(size.data(), size.data() + 16, bytes.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    parts[1] = asio::buffer(size.data(), static_cast<std::size_t>(end - size.data()));
    parts[3] = asio::buffer("\r\n", 2);
  }
  writing_ = true;
  while (!closed_) {
    const auto all = wire_.push(parts);
    if (all && *all) break;
    closed_ = !all;
    if (closed_) break;
    const auto writable = co_await wire_.until_writable();
    if (writable) continue;
    closed_ = true;
    if (writable.error() == Errc::timed_out) co_return Failure(Errc::timed_out);
  }
  writing_ = false;
  if (closed_) co_return Failure(Errc::closed);
  if (!start_.head.empty()) free_memory(start_.head);
  if (start_.bytes) *start_.bytes -= bytes.size();
  co_return Result<>{};
}

Task<> Stream::let_go() {
  letting_go_ = true;
  wire_.cancel_waits();
  while (callbacks_ > 0) co_await wake_.wait();
}

Task<bool> Stream::end() {
  // A write that was abandoned in its middle has left a chunk half sent.
  if (closed_ || writing_) co_return false;
  if (start_.bytes.value_or(0) > 0) co_return false;
  Buffers parts{asio::buffer(start_.head), {}, {}, {}};
  if (start_.chunked) parts[1] = asio::buffer("0\r\n\r\n", 5);
  const auto sent = co_await wire_.send(parts);
  co_return sent&& start_.keep_alive&& ignored_bytes_ == 0;
}

}  // namespace millrace::http
