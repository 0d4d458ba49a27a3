#include "shared/http/wire.h"

#include <boost/asio/redirect_error.hpp>

namespace millrace::http {
namespace {

/// A connection between two requests keeps no more than this.
constexpr std::size_t idle_bytes_max = 8 * 1024;

std::size_t size_of(const Buffers& parts) {
  std::size_t sum = 0;
  for (const auto& part : parts) sum += part.size();
  return sum;
}

void consume(Buffers& parts, std::size_t bytes) {
  for (auto& part : parts) {
    const std::size_t taken = std::min(bytes, part.size());
    part += taken;
    bytes -= taken;
  }
}

}  // namespace

Wire::Wire(ServerContext& context, Socket socket) : context_(context), socket_(std::move(socket)) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  context_.counts.connections.fetch_add(1, std::memory_order_relaxed);
}

Wire::~Wire() {
  context_.counts.connections.fetch_sub(1, std::memory_order_relaxed);
}

void Wire::take(std::size_t bytes) {
  taken_ += bytes;
  if (taken_ < read_.size()) return;
  taken_ = 0;
  read_.clear();
  if (read_.capacity() > idle_bytes_max) free_memory(read_);
}

void Wire::forget_unread() {
  taken_ = 0;
  free_memory(read_);
}

Failure Wire::ended(const boost::system::error_code& error) {
  deadline_ = Instant::max();
  if (error != asio::error::operation_aborted) return Failure(Errc::closed);
  return Failure(late_ ? Errc::timed_out : Errc::cancelled);
}

Task<Result<>> Wire::read_more(Instant deadline) {
  deadline_ = deadline;
  late_ = false;
  for (;;) {
    boost::system::error_code waited;
    co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(use_task, waited));
    boost::system::error_code error;
    const std::size_t got = socket_.read_some(asio::buffer(context_.scratch), error);
    // What has arrived in time counts, though the wait was ended.
    if (error == asio::error::would_block && waited) co_return ended(waited);
    if (error == asio::error::would_block) continue;
    deadline_ = Instant::max();
    if (error) co_return Failure(Errc::closed);
    if (taken_ > 0) read_.erase(0, std::exchange(taken_, 0));
    read_.append(context_.scratch.data(), got);
    context_.counts.bytes_in.fetch_add(got, std::memory_order_relaxed);
    co_return Result<>{};
  }
}

Result<bool> Wire::push(Buffers& parts) {
  while (size_of(parts) > 0) {
    boost::system::error_code error;
    const std::size_t sent = socket_.write_some(parts, error);
    consume(parts, sent);
    context_.counts.bytes_out.fetch_add(sent, std::memory_order_relaxed);
    if (error == asio::error::would_block) return false;
    if (error) return Failure(Errc::closed);
  }
  return true;
}

Task<Result<>> Wire::send(Buffers parts) {
  for (;;) {
    const auto all = push(parts);
    if (!all) co_return Failure(all.error());
    if (*all) co_return Result<>{};
    const auto writable = co_await until_writable();
    if (!writable) co_return writable;
  }
}

Task<Result<>> Wire::until_writable() {
  deadline_ = context_.clock.now() + context_.options.times.stall;
  late_ = false;
  boost::system::error_code error;
  co_await socket_.async_wait(Socket::wait_write, asio::redirect_error(use_task, error));
  if (error) co_return ended(error);
  deadline_ = Instant::max();
  co_return Result<>{};
}

void Wire::sweep(Instant now) {
  if (now <= deadline_) return;
  late_ = true;
  cancel_waits();
}

void Wire::cancel_waits() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Wire::shut_down() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

}  // namespace millrace::http
