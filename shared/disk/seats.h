#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace millrace::disk {

/// Who of one loop watches what. Watchers may join and leave while they are told; who joins then
/// was not meant.
template <class Key, class Watcher>
class Seats {
 public:
  /// The number under which this watcher is to be told that it listens; nothing for one that
  /// watches this already.
  std::optional<std::uint64_t> join(const Key& key, Watcher& watcher, std::uint64_t number) {
    auto& seats = watched_[key];
    for (const Seat& seat : seats)
      if (seat.watcher == &watcher) return std::nullopt;
    seats.push_back({&watcher, number});
    keys_.emplace(number, key);
    newest_ = number;
    return number;
  }

  /// True when nobody watches this any more.
  bool leave(const Key& key, Watcher& watcher) {
    const auto found = watched_.find(key);
    if (found == watched_.end()) return false;
    bool watched = false;
    for (Seat& seat : found->second) {
      if (seat.watcher == &watcher) {
        keys_.erase(seat.number);
        seat.watcher = nullptr;
      }
      watched |= seat.watcher != nullptr;
    }
    if (!watched) watched_.erase(found);
    return !watched;
  }

  template <class Tell>
  void tell(const Key& key, Tell tell_one) {
    const std::uint64_t joined = newest_;
    auto found = watched_.find(key);
    for (std::size_t i = 0; found != watched_.end() && i < found->second.size(); ++i) {
      const Seat seat = found->second[i];
      if (!seat.watcher || seat.number > joined) continue;
      tell_one(*seat.watcher);
      found = watched_.find(key);
    }
    if (found != watched_.end())
      std::erase_if(found->second, [](const Seat& seat) { return !seat.watcher; });
  }

  template <class Tell>
  void tell_one(std::uint64_t number, Tell tell_it) {
    const auto key = keys_.find(number);
    if (key == keys_.end()) return;
    for (const Seat& seat : watched_[key->second])
      if (seat.watcher && seat.number == number) return tell_it(*seat.watcher);
  }

  template <class Tell>
  void tell_all(Tell tell_one) {
    for (const Key& key : keys()) tell(key, tell_one);
  }

  std::vector<Key> keys() const {
    std::vector<Key> all;
    all.reserve(watched_.size());
    for (const auto& [key, seats] : watched_) all.push_back(key);
    return all;
  }

 private:
  struct Seat {
    Watcher* watcher;
    std::uint64_t number;
  };

  std::map<Key, std::vector<Seat>> watched_;
  std::map<std::uint64_t, Key> keys_;
  std::uint64_t newest_ = 0;
};

}  // namespace millrace::disk
