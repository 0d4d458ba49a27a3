#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shared/memory/bugs.h"
#include "shared/memory/link.h"

namespace millrace::memory {

/// A record and what stands in its headers.
struct Record {
  std::string key;
  std::string value;
  std::uint32_t attempt = 1;
  std::int64_t due_ms = 0;  ///< of a retry copy: not before
  std::string origin;       ///< of a copy: the topic it returns to
  std::string reason;       ///< of a dead letter
};

/// Topic (without a prefix) and number.
using PartitionName = std::pair<std::string, int>;

/// A position and what was told with it; below 0: never committed.
struct Commit {
  std::int64_t position = -1;
  std::string metadata;
};

/// One consumer of the group, as the broker reaches it over its link.
struct Member {
  Link& link;
  std::function<void(const PartitionName&, const Commit&)> assigned;
  std::function<void(const PartitionName&)> revoked;  ///< answer with `released`
  std::function<void(const PartitionName&)> grown;    ///< there are records to fetch
  std::function<void()> expelled;                     ///< join again

  /// From here on it hears nothing; the broker may know it a while longer.
  void retire() {
    assigned = [](const PartitionName&, const Commit&) {};
    revoked = grown = [](const PartitionName&) {};
    expelled = [] {};
  }
};

/// The cluster behind every MemoryJobQueue: topics, and one consumer group with its cooperative
/// rebalances. A member that is silent for `session_timeout` is expelled.
class Broker {
 public:
  struct Options {
    int partitions = 2;  ///< of a jobs topic; the others have one
    Duration session_timeout = std::chrono::seconds(10);
  };
  using Time = std::function<Instant()>;
  /// A record was appended, for those who watch the world.
  using OnProduce = std::function<void(const PartitionName&, std::int64_t offset, const Record&)>;

  Broker(Time time, Options options);
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  void produce(const std::string& topic, const Record& record);
  /// At most `count` records from `from` on.
  std::vector<Record> fetch(const PartitionName& name, std::int64_t from, std::size_t count) const;

  void join(const std::shared_ptr<Member>& member);
  void leave(const Member* member);
  /// Whoever is not in the group hears that it was expelled.
  void heartbeat(const std::shared_ptr<Member>& member);
  /// Refused unless the member has the partition.
  bool commit(const Member* member, const PartitionName& name, const Commit& commit);
  void released(const Member* member, const PartitionName& name);
  /// Expels who has been silent for too long. To be called now and then.
  void tick();

  // --- what is seen from above
  std::vector<PartitionName> partitions() const;
  /// Records of what the group reads that are not committed; a hint's are not counted off.
  std::int64_t uncommitted() const;
  const std::vector<Record>& records(const PartitionName& name) const;
  void on_produce(OnProduce hear) { produced_ = std::move(hear); }

 private:
  struct Partition {
    std::vector<Record> records;
    Commit committed;
    std::shared_ptr<Member> owner;
    bool revoking = false;
    bool read_by_group = false;
  };
  struct Seat {
    std::shared_ptr<Member> member;
    Instant heard;
  };

  void add(const std::string& topic, int partitions, bool read_by_group);
  int count_of(const std::string& topic) const;
  void rebalance();
  void give(const PartitionName& name, Partition& partition, const std::shared_ptr<Member>& to);
  void forget(const Member* member);
  static void expel(const std::shared_ptr<Member>& member);
  Seat* seat(const Member* member);

  Time time_;
  Options options_;
  std::map<PartitionName, Partition> partitions_;
  std::vector<Seat> seats_;
  OnProduce produced_;
};

}  // namespace millrace::memory
