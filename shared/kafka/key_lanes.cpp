#include "shared/kafka/key_lanes.h"

#include <algorithm>

namespace millrace::kafka {
namespace {
/// Lane, map entries and bookkeeping of one record, measured with 100,000 keys.
constexpr std::size_t item_overhead_bytes = 400;
}  // namespace

std::size_t Item::bytes() const {
  return key.size() + value.size() + item_overhead_bytes;
}

void KeyLanes::add(Item item) {
  bytes_ += item.bytes();
  // A record without a key is ordered by nothing.
  const auto [at, fresh] =
      lanes_.try_emplace(item.key.empty() ? '\0' + std::to_string(item.handle) : item.key);
  Lane& lane = at->second;
  lane.items.push_back(std::move(item));
  if (!fresh) return;
  lane.key = at->first;
  ready_.push_back(&lane);
}

Item* KeyLanes::take() {
  if (ready_.empty()) return nullptr;
  Lane& lane = *ready_.front();
  ready_.pop_front();
  lane.standing = Standing::running;
  Item& item = lane.items.front();
  in_flight_.emplace(item.handle, &lane);
  return &item;
}

Item* KeyLanes::in_flight(std::uint64_t handle) {
  const auto found = in_flight_.find(handle);
  return found == in_flight_.end() ? nullptr : &found->second->items.front();
}

void KeyLanes::finish(std::uint64_t handle) {
  const auto found = in_flight_.find(handle);
  if (found == in_flight_.end()) return;
  Lane& lane = *found->second;
  in_flight_.erase(found);
  bytes_ -= lane.items.front().bytes();
  lane.items.pop_front();
  next_in(lane);
}

void KeyLanes::next_in(Lane& lane) {
  if (lane.items.empty()) {
    lanes_.erase(lanes_.find(std::string(lane.key)));
    return;
  }
  lane.standing = Standing::ready;
  ready_.push_back(&lane);
}

void KeyLanes::put_off(std::uint64_t handle, Instant until) {
  const auto found = in_flight_.find(handle);
  if (found == in_flight_.end()) return;
  Lane& lane = *found->second;
  in_flight_.erase(found);
  lane.standing = Standing::waiting;
  lane.waiting = waiting_.emplace(until, &lane);
}

Instant KeyLanes::wake(Instant now) {
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    Lane& lane = *waiting_.begin()->second;
    waiting_.erase(waiting_.begin());
    lane.standing = Standing::ready;
    ready_.push_back(&lane);
  }
  return waiting_.empty() ? Instant::max() : waiting_.begin()->first;
}

void KeyLanes::forget(const Partition* partition) {
  for (auto at = lanes_.begin(); at != lanes_.end();) {
    Lane& lane = at->second;
    const std::size_t kept = lane.standing == Standing::running ? 1 : 0;
    for (std::size_t i = lane.items.size(); i > kept; --i) {
      if (lane.items[i - 1].partition.get() != partition) continue;
      bytes_ -= lane.items[i - 1].bytes();
      lane.items.erase(lane.items.begin() + static_cast<std::ptrdiff_t>(i - 1));
    }
    if (!lane.items.empty()) {
      ++at;
      continue;
    }
    if (lane.standing == Standing::waiting) waiting_.erase(lane.waiting);
    if (lane.standing == Standing::ready) std::erase(ready_, &lane);
    at = lanes_.erase(at);
  }
}

}  // namespace millrace::kafka
