#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "shared/runtime/clock.h"

namespace millrace::kafka {

struct Send;

struct Header {
  const char* name;
  std::string value;
};

/// A record as it is handed to librdkafka.
struct Record {
  Send* send;  ///< hears of it
  std::string topic;
  std::string key;
  std::string value;
  std::vector<Header> headers;
  Instant leave_by;  ///< it may wait for others until then
};

/// Lets records go to the broker in waves: while one is unacknowledged, those that come wait for
/// each other, as small packets do by RFC 896. A record alone leaves at once, and the busier it is
/// the larger the batches, which a fixed `linger.ms` cannot give: librdkafka sends a request a
/// partition, and each costs the broker as much as ten records. Records that may wait leave with
/// the first that may not, or when the first of them may no longer. A wave unacknowledged for
/// `patience` holds nobody back any longer, so that one slow broker costs the others' partitions
/// no more than that.
class Waves {
 public:
  Waves(Duration patience, std::size_t bytes_max) : patience_(patience), bytes_max_(bytes_max) {}

  /// False, and the record is left as it was: more than `bytes_max` wait already.
  bool add(Record& record);
  /// The records to send now, in the order they came; none while a wave is on its way, or while
  /// all may wait.
  std::vector<Record> next(Instant now);
  /// One record of that wave is acknowledged, or will never be.
  void ended(std::uint64_t wave);

  bool any_waiting() const { return !waiting_.empty(); }
  /// Until when all that wait may wait; of no meaning when none does.
  Instant leave_by() const { return leave_by_; }

 private:
  const Duration patience_;
  const std::size_t bytes_max_;
  std::vector<Record> waiting_;
  std::size_t waiting_bytes_ = 0;
  Instant leave_by_{};
  std::uint64_t wave_ = 0;      ///< the newest
  std::size_t on_its_way_ = 0;  ///< of the newest
  Instant left_{};
};

}  // namespace millrace::kafka
