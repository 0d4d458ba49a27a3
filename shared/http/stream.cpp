#include "shared/http/stream.h"

#include <boost/asio/redirect_error.hpp>
#include <charconv>

namespace millrace::http {
namespace {

/// A client has nothing to say during a response; one that talks on is cut.
constexpr std::size_t ignored_bytes_max = 64 * 1024;

using Buffers = std::array<asio::const_buffer, 3>;

std::size_t size_of(const Buffers& parts) {
  return parts[0].size() + parts[1].size() + parts[2].size();
}

void consume(Buffers& parts, std::size_t bytes) {
  for (auto& part : parts) {
    const std::size_t taken = std::min(bytes, part.size());
    part += taken;
    bytes -= taken;
  }
}

}  // namespace

Stream::Stream(ServerContext& context, Socket& socket, bool chunked)
    : context_(context),
      socket_(socket),
      wake_(context.clock),
      unwatched_(context.clock),
      chunked_(chunked) {
  context_.counts.streams.fetch_add(1, std::memory_order_relaxed);
}

Stream::~Stream() {
  context_.counts.streams.fetch_sub(1, std::memory_order_relaxed);
}

Task<Result<>> Stream::write(std::string_view bytes) {
  if (bytes.empty()) co_return Result<>{};  // an empty chunk would end the body
  std::array<char, 20> size;
  Buffers parts{asio::const_buffer(), asio::buffer(bytes), asio::const_buffer()};
  if (chunked_) {
    char* end = std::to_chars(size.data(), size.data() + 16, bytes.size(), 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    parts[0] = asio::buffer(size.data(), static_cast<std::size_t>(end - size.data()));
    parts[2] = asio::buffer("\r\n", 2);
  }
  co_return co_await send(parts);
}

Task<Result<>> Stream::send(Buffers parts) {
  while (size_of(parts) > 0) {
    if (closed_) co_return Failure(cut_.value_or(Errc::closed));
    boost::system::error_code error;
    consume(parts, socket_.write_some(parts, error));
    if (!error) continue;
    if (error != asio::error::would_block) {
      closed_ = true;
      co_return Failure(Errc::closed);
    }
    const auto writable = co_await wait_writable();
    if (!writable) co_return writable;
  }
  co_return Result<>{};
}

Task<Result<>> Stream::wait_writable() {
  stall_at_ = context_.clock.now() + context_.options.times.stall;
  boost::system::error_code error;
  co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(use_task, error));
  stall_at_ = Instant::max();
  if (!error && !closed_) co_return Result<>{};
  closed_ = true;
  co_return Failure(cut_.value_or(Errc::closed));
}

void Stream::cut(Errc why) {
  if (!cut_) cut_ = why;
  closed_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  wake_.notify();
}

void Stream::watch() {
  watching_ = true;
  socket_.async_wait(Socket::wait_read,
                     [this](boost::system::error_code error) { on_readable(error); });
}

void Stream::on_readable(boost::system::error_code error) {
  watching_ = false;
  if (unwatching_ || error) {
    unwatched_.notify();
    return;
  }
  const std::size_t got = socket_.read_some(asio::buffer(context_.scratch), error);
  ignored_bytes_ += got;
  const bool gone = error && error != asio::error::would_block;
  if (gone || ignored_bytes_ > ignored_bytes_max) {
    closed_ = true;
    wake_.notify();
    return;
  }
  watch();
}

Task<> Stream::unwatch() {
  unwatching_ = true;
  if (!watching_) co_return;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
  while (watching_) co_await unwatched_.wait();
}

}  // namespace millrace::http
