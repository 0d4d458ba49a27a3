#pragma once
#include <boost/asio/post.hpp>
#include <mutex>

#include "shared/memory/link.h"
#include "shared/runtime/clock.h"

namespace millrace::memory {

/// A connection that is never cut. What is asked is done at once; the server may be reached from
/// several threads.
class DirectLink final : public Link {
 public:
  DirectLink(Clock& clock, std::recursive_mutex& server) : clock_(clock), server_(server) {}

  Task<Result<>> call(Work there, Instant) override {
    tell(std::move(there));
    co_await asio::post(clock_.loop(), use_task);
    co_return Result<>{};
  }
  void tell(Work there) override {
    const std::lock_guard lock(server_);
    there();
  }
  void push(Work here) override { asio::post(clock_.loop(), std::move(here)); }
  bool up() const override { return true; }
  void on_restored(Work) override {}

 private:
  Clock& clock_;
  std::recursive_mutex& server_;
};

}  // namespace millrace::memory
