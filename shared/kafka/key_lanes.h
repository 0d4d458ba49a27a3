#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "shared/runtime/time.h"

namespace millrace::kafka {

struct Partition;

/// One record that was fetched and is not finished.
struct Item {
  std::uint64_t handle = 0;
  std::shared_ptr<Partition> partition;
  std::int64_t offset = 0;
  std::string key;
  std::string value;
  std::uint32_t attempt = 1;
  bool redelivered = false;
  std::string origin;               ///< of a retry copy: the topic it returns to
  bool waited_for_upgrade = false;  ///< an envelope of a newer version that has had its hour
  std::size_t bytes() const;        ///< what it costs to hold
};

/// Which record may run next: those of one key one after the other, in the order in which they
/// came, those of different keys at once. A key whose record waits (for a retry, a lease, its
/// time) holds back itself alone. Pure; one thread.
class KeyLanes {
 public:
  /// Puts a record behind the others of its key.
  void add(Item item);
  /// The first record of a key that is free, in the order in which they became free; it is in
  /// flight from here on. Null: nothing can run now. Valid until it is finished or put off.
  Item* take();
  /// Null when there is no such record in flight.
  Item* in_flight(std::uint64_t handle);
  /// Ends a record in flight: its key is free for the next.
  void finish(std::uint64_t handle);
  /// Puts a record in flight off: it comes first in its lane again, not before `until`.
  void put_off(std::uint64_t handle, Instant until);
  /// Frees what has waited long enough; returns when to come again (`Instant::max()`: never).
  Instant wake(Instant now);
  /// Forgets the records of a partition that are not in flight: somebody else has them now.
  void forget(const Partition* partition);

  std::size_t in_flight_count() const { return in_flight_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  enum class Standing : std::uint8_t { ready, running, waiting };
  struct Lane {
    std::deque<Item> items;
    Standing standing = Standing::ready;
    std::multimap<Instant, Lane*>::iterator waiting;
    std::string_view key;  ///< of its entry in `lanes_`
  };

  void next_in(Lane& lane);

  std::unordered_map<std::string, Lane> lanes_;
  std::deque<Lane*> ready_;
  std::multimap<Instant, Lane*> waiting_;
  std::unordered_map<std::uint64_t, Lane*> in_flight_;
  std::size_t bytes_ = 0;
};

}  // namespace millrace::kafka
