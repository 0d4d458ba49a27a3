#pragma once
#include <list>
#include <memory>

#include "shared/contract/job.h"
#include "shared/object_store.h"
#include "shared/runtime/signal.h"

namespace millrace {

/// A job with its input, and the input's place among those that may be in memory.
class WholeJob {
 public:
  const Job& job() const { return job_; }

 private:
  friend class LargeInputs;
  struct Place {
    std::size_t& taken;
    Signal& changed;
    std::size_t bytes;
    ~Place();
  };
  Job job_;
  std::unique_ptr<Place> place_;
};

/// Fetches the inputs that are too large for their envelopes. One a loop; the objects outlive it,
/// it outlives what it gave. All that is fetched and not let go holds at most
/// `limits::large_inputs_bytes_max`; who comes first is served first.
class LargeInputs {
 public:
  LargeInputs(ObjectStore& objects, Clock& clock)
      : objects_(objects), clock_(clock), changed_(clock) {}
  LargeInputs(const LargeInputs&) = delete;
  LargeInputs& operator=(const LargeInputs&) = delete;

  /// The job with the input that its `input_ref` names. Waits for room, and for objects that are
  /// away, until cancelled. `not_found`; `corrupt`: it is not the input that was accepted.
  Task<Result<WholeJob>> fetch(const Job& job);

 private:
  class InLine;

  Task<std::unique_ptr<WholeJob::Place>> room_for(std::size_t bytes);
  bool has_room_for(std::size_t bytes) const;

  ObjectStore& objects_;
  Clock& clock_;
  Signal changed_;
  std::list<const InLine*> line_;
  std::size_t taken_ = 0;
};

}  // namespace millrace
