#include "shared/postgres/call.h"

#include <map>

namespace millrace::postgres {

void Door::close() {
  const std::lock_guard lock(mutex_);
  clock_ = nullptr;
}

void Door::bring(Calls calls) {
  const std::lock_guard lock(mutex_);
  if (!clock_) return;
  asio::post(clock_->loop(), [to = clock_, here = std::move(calls)] {
    for (const auto& call : here) call->reply(*to);
  });
}

void bring_back(Calls calls) {
  std::map<std::shared_ptr<Door>, Calls> by_door;
  for (auto& call : calls) {
    const auto door = call->door;
    if (door) by_door[door].push_back(std::move(call));
  }
  for (auto& [door, here] : by_door) door->bring(std::move(here));
}

}  // namespace millrace::postgres
