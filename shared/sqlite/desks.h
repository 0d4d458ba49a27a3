#pragma once
#include <atomic>
#include <string_view>
#include <utility>

#include "shared/sqlite/caller.h"
#include "shared/sqlite/threads.h"

namespace millrace::sqlite {

/// The store's threads, as the ports of one loop reach them (shared/store_port).
class Desks {
 public:
  using Tables = sqlite::Tables;
  struct Parts {
    ReplyRouter& replies;
    WriteThread& writes;
    CallQueue& reads;
    CallQueue& lists;
    const std::atomic<bool>& queue_notes;  ///< a job's row is made when it is queued
  };
  Desks(Clock& clock, const Parts& parts) : parts_(parts), caller_(clock, parts.replies) {}

  /// One thread writes, so there is no order to agree on.
  struct Lock {};
  static Lock lock(const JobId&) { return {}; }
  static Lock lock(std::string_view, std::string_view) { return {}; }

  template <class T, class Work>
  Task<Result<T>> write(Lock, std::size_t bytes, Work work) {
    return caller_.template ask<T>(parts_.writes.queue(), bytes, std::move(work));
  }
  template <class T, class Work>
  Task<Result<T>> read(Work work) {
    return caller_.template ask<T>(parts_.reads, 0, std::move(work));
  }
  template <class T, class Work>
  Task<Result<T>> list(Work work) {
    return caller_.template ask<T>(parts_.lists, 0, std::move(work));
  }
  template <class Work>
  void write_later(Lock, std::size_t bytes, Work work) {
    Caller::write_later(parts_.writes.queue(), bytes, std::move(work));
  }

  bool full() const { return parts_.writes.queue().full(); }
  bool healthy() const { return parts_.writes.healthy(); }
  bool notes(std::string_view fingerprint) const {
    return !fingerprint.empty() || !parts_.queue_notes;
  }

 private:
  Parts parts_;
  Caller caller_;
};

}  // namespace millrace::sqlite
