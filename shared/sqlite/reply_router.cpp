#include "shared/sqlite/reply_router.h"

#include <boost/asio/post.hpp>

namespace millrace::sqlite {

std::uint64_t ReplyRouter::enter(Clock& clock) {
  const std::lock_guard lock(mutex_);
  ports_.emplace_back(next_, &clock);
  return next_++;
}

void ReplyRouter::leave(std::uint64_t port) {
  const std::lock_guard lock(mutex_);
  std::erase_if(ports_, [&](const auto& entry) { return entry.first == port; });
}

void ReplyRouter::deliver(Calls calls) {
  const std::lock_guard lock(mutex_);
  for (const auto& [port, clock] : ports_) {
    Calls here;
    for (auto& call : calls)
      if (call && call->port == port) here.push_back(std::move(call));
    if (here.empty()) continue;
    asio::post(clock->loop(), [to = clock, here = std::move(here)] {
      for (const auto& call : here) call->reply(*to);
    });
  }
}

}  // namespace millrace::sqlite
