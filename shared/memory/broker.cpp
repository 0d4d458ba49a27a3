#include "shared/memory/broker.h"

#include <algorithm>

#include "shared/contract/topics.h"
#include "shared/kafka/key_partition.h"

namespace millrace::memory {

Broker::Broker(Time time, Options options) : time_(std::move(time)), options_(options) {
  for (const auto suffix : topics::jobs) add(std::string(suffix), options_.partitions, true);
  for (const auto& tier : topics::retry_tiers) add(std::string(tier.suffix), 1, true);
  add(std::string(topics::dead), 1, false);
  add(std::string(topics::results), 1, false);
}

void Broker::add(const std::string& topic, int partitions, bool read_by_group) {
  for (int number = 0; number < partitions; ++number)
    partitions_[{topic, number}].read_by_group = read_by_group;
}

int Broker::count_of(const std::string& topic) const {
  return topic.starts_with("jobs.") ? options_.partitions : 1;
}

// --- records

void Broker::produce(const std::string& topic, const Record& record) {
  const PartitionName name(topic, kafka::murmur2_partition(record.key, count_of(topic)));
  Partition& partition = partitions_.at(name);
  partition.records.push_back(record);
  if (produced_) produced_(name, static_cast<std::int64_t>(partition.records.size()) - 1, record);
  if (!partition.owner) return;
  partition.owner->link.push([weak = std::weak_ptr(partition.owner), name] {
    if (const auto member = weak.lock()) member->grown(name);
  });
}

std::vector<Record> Broker::fetch(const PartitionName& name, std::int64_t from,
                                  std::size_t count) const {
  const auto& all = partitions_.at(name).records;
  const auto begin =
      std::min(static_cast<std::size_t>(std::max<std::int64_t>(from, 0)), all.size());
  const auto end = std::min(begin + count, all.size());
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

bool Broker::commit(const Member* member, const PartitionName& name, const Commit& commit) {
  Partition& partition = partitions_.at(name);
  if (partition.owner.get() != member) return false;
  partition.committed = commit;
  return true;
}

// --- the group

Broker::Seat* Broker::seat(const Member* member) {
  const auto found = std::ranges::find_if(
      seats_, [member](const Seat& seat) { return seat.member.get() == member; });
  return found == seats_.end() ? nullptr : &*found;
}

void Broker::join(const std::shared_ptr<Member>& member) {
  if (seat(member.get())) return;
  seats_.push_back({member, time_()});
  rebalance();
}

void Broker::leave(const Member* member) {
  if (!seat(member)) return;
  forget(member);
  rebalance();
}

void Broker::forget(const Member* member) {
  std::erase_if(seats_, [member](const Seat& one) { return one.member.get() == member; });
  for (auto& [name, partition] : partitions_) {
    if (partition.owner.get() != member) continue;
    partition.owner.reset();
    partition.revoking = false;
  }
}

void Broker::heartbeat(const std::shared_ptr<Member>& member) {
  if (Seat* standing = seat(member.get()))
    standing->heard = time_();
  else
    expel(member);
}

void Broker::expel(const std::shared_ptr<Member>& member) {
  member->link.push([weak = std::weak_ptr(member)] {
    if (const auto here = weak.lock()) here->expelled();
  });
}

void Broker::released(const Member* member, const PartitionName& name) {
  Partition& partition = partitions_.at(name);
  if (partition.owner.get() != member || !partition.revoking) return;
  partition.owner.reset();
  partition.revoking = false;
  rebalance();
}

void Broker::tick() {
  std::vector<std::shared_ptr<Member>> silent;
  for (const auto& one : seats_)
    if (time_() - one.heard >= options_.session_timeout) silent.push_back(one.member);
  if (silent.empty()) return;
  for (const auto& member : silent) {
    forget(member.get());
    expel(member);
  }
  rebalance();
}

/// Partition by partition in turn. What has an owner is asked back first, and given to the next
/// when that owner has let go of it; nobody else stops.
void Broker::rebalance() {
  if (seats_.empty()) return;
  std::size_t turn = 0;
  for (auto& [name, partition] : partitions_) {
    if (!partition.read_by_group) continue;
    const auto& target = seats_[turn++ % seats_.size()].member;
    if (!partition.owner) {
      give(name, partition, target);
    } else if (partition.owner != target && !partition.revoking) {
      partition.revoking = true;
      partition.owner->link.push([weak = std::weak_ptr(partition.owner), name] {
        if (const auto member = weak.lock()) member->revoked(name);
      });
    }
  }
}

void Broker::give(const PartitionName& name, Partition& partition,
                  const std::shared_ptr<Member>& to) {
  partition.owner = to;
  to->link.push([weak = std::weak_ptr(to), name, committed = partition.committed] {
    if (const auto member = weak.lock()) member->assigned(name, committed);
  });
}

// --- what is seen from above

std::vector<PartitionName> Broker::partitions() const {
  std::vector<PartitionName> names;
  for (const auto& [name, partition] : partitions_) names.push_back(name);
  return names;
}

std::int64_t Broker::uncommitted() const {
  std::int64_t waiting = 0;
  for (const auto& [name, partition] : partitions_) {
    if (!partition.read_by_group) continue;
    waiting += static_cast<std::int64_t>(partition.records.size()) -
               std::max<std::int64_t>(partition.committed.position, 0);
  }
  return waiting;
}

const std::vector<Record>& Broker::records(const PartitionName& name) const {
  return partitions_.at(name).records;
}

}  // namespace millrace::memory
