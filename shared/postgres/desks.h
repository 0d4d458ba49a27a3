#pragma once
#include <string_view>
#include <utility>

#include "shared/postgres/caller.h"
#include "shared/postgres/reader.h"
#include "shared/postgres/writer.h"

namespace millrace::postgres {

/// The store's desks, as the ports of one loop reach them (shared/store_port).
class Desks {
 public:
  using Tables = postgres::Tables;
  struct Parts {
    Writer& writer;
    Reader& reads;
    Reader& lists;
  };
  Desks(Clock& clock, const Parts& parts) : parts_(parts), caller_(clock) {}

  /// Where a row stands in the order in which batches lock.
  using Lock = JobId;
  static Lock lock(const JobId& job) { return job; }
  static Lock lock(std::string_view tenant, std::string_view session) {
    return derived_job_id(tenant, session);
  }

  template <class T, class Work>
  Task<Result<T>> write(Lock lock, std::size_t bytes, Work work) {
    return caller_.template ask<T>(parts_.writer.desk(), lock, bytes, std::move(work));
  }
  template <class T, class Work>
  Task<Result<T>> read(Work work) {
    return caller_.template ask<T>(parts_.reads.desk(), {}, 0, std::move(work));
  }
  template <class T, class Work>
  Task<Result<T>> list(Work work) {
    return caller_.template ask<T>(parts_.lists.desk(), {}, 0, std::move(work));
  }
  template <class Work>
  void write_later(Lock lock, std::size_t bytes, Work work) {
    Caller::write_later(parts_.writer.desk(), lock, bytes, std::move(work));
  }

  bool full() const { return parts_.writer.desk().full(); }
  bool healthy() const { return parts_.writer.healthy() && parts_.reads.healthy(); }
  bool notes(std::string_view) const { return true; }

 private:
  Parts parts_;
  Caller caller_;
};

}  // namespace millrace::postgres
