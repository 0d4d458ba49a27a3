#include "shared/kafka/waiting_copies.h"

namespace millrace::kafka {

void WaitingCopies::add(Instant until, Copy copy) {
  bytes_ += copy.item.bytes();
  waiting_.emplace(until, std::move(copy));
}

std::optional<WaitingCopies::Copy> WaitingCopies::take(Instant now) {
  if (next() > now || waiting_.empty()) return std::nullopt;
  auto first = waiting_.extract(waiting_.begin());
  bytes_ -= first.mapped().item.bytes();
  return std::move(first.mapped());
}

Instant WaitingCopies::next() const {
  return waiting_.empty() ? Instant::max() : waiting_.begin()->first;
}

void WaitingCopies::forget(const Partition* partition) {
  std::erase_if(waiting_, [&](const auto& entry) {
    const Item& item = entry.second.item;
    if (item.partition.get() != partition) return false;
    bytes_ -= item.bytes();
    return true;
  });
}

}  // namespace millrace::kafka
