#pragma once
#include <optional>
#include <string>

#include "shared/contract/job.h"
#include "shared/object_store.h"
#include "shared/runtime/random.h"

namespace millrace {

/// An input that was taken out of its job, and its place among those that may be on their way.
class OversizeInput {
 public:
  OversizeInput(std::string json, std::size_t& on_their_way);
  ~OversizeInput() { on_their_way_ -= json_.size(); }
  OversizeInput(const OversizeInput&) = delete;
  OversizeInput& operator=(const OversizeInput&) = delete;

  const std::string& json() const { return json_; }
  /// What an earlier attempt put there is this input.
  bool is(const InputRef& ref) const;

 private:
  const std::string json_;
  std::size_t& on_their_way_;
};

/// What does not fit a job's envelope goes to the ObjectStore before the job is queued (design
/// §3). One a loop; the objects outlive it, it outlives what it gave.
///
/// Each attempt to queue a job puts an object of its own: an attempt that failed can remove what
/// it put, and no retry, on whatever node, ever changes what a queued envelope names.
class OversizeInputs {
 public:
  OversizeInputs(ObjectStore& objects, Random& random) : objects_(objects), random_(random) {}
  OversizeInputs(const OversizeInputs&) = delete;
  OversizeInputs& operator=(const OversizeInputs&) = delete;

  /// No more than `ingress_limits::oversize_inputs_bytes_max` may be on their way.
  bool has_room_for(const Job& job) const;
  /// Takes an input above `limits::input_bytes_max` out of its job; leaves any other there.
  void take(Job& job, std::optional<OversizeInput>& into);

  /// Puts the input and names it in the job, durably, until `limits::large_input_kept` after the
  /// job's deadline. Fails as ObjectStore::put does.
  Task<Result<>> keep(const OversizeInput& input, Job& job);
  /// Removes what the job names; where that fails it goes when it expires.
  Task<> drop(Job job);

 private:
  ObjectStore& objects_;
  Random& random_;
  std::size_t on_their_way_ = 0;
};

}  // namespace millrace
