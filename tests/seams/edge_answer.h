#pragma once
#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "shared/http/router.h"
#include "tests/seams/test_loop.h"

/// An edge's routes without its sockets.
namespace millrace {

/// Another clock, some time ahead. For who asks what time it is; nothing can wait for it.
class AheadClock final : public Clock {
 public:
  AheadClock(const Clock& clock, Duration by) : Clock(clock.loop()), clock_(clock), by_(by) {}
  Instant now() const override { return clock_.now() + by_; }
  WallTime wall() const override {
    return std::chrono::floor<WallTime::duration>(clock_.wall() + by_);
  }

 private:
  void arm(Instant) override {}

  const Clock& clock_;
  const Duration by_;
};

/// Keeps what a response's stream writes.
class KeepingWriter final : public http::StreamWriter {
 public:
  explicit KeepingWriter(Clock& clock) : wake_(clock) {}
  std::string bytes;
  std::size_t largest = 0;

  Task<Result<>> write(std::string_view piece) override {
    largest = std::max(largest, piece.size());
    bytes += piece;
    co_return Result<>();
  }
  bool closed() const override { return false; }
  Signal& wake() override { return wake_; }
  bool draining() const override { return false; }

 private:
  Signal wake_;
};

/// The edge's answer to a GET; its stream, if any, is not run.
inline http::Response answer_of(TestLoop& loop, const http::Router& router,
                                const std::string& target,
                                std::vector<std::pair<std::string, std::string>> headers = {}) {
  const auto mark = std::min(target.find('?'), target.size());
  http::Request request;
  request.path = target.substr(0, mark);
  request.query = target.substr(std::min(mark + 1, target.size()));
  request.headers = std::move(headers);
  const auto match = router.find(http::Method::get, request.path);
  if (!match.handler) throw std::runtime_error("no route for " + target);
  request.params = match.params;
  return loop.get((*match.handler)(request));
}

}  // namespace millrace
