#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "producer/ingress/refusal.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/recently_used.h"
#include "shared/runtime/signal.h"
#include "shared/store.h"

namespace millrace {

/// How many jobs of a tenant may be there that have not ended. They are counted in the Store, each
/// second anew, so no crash can leave a count too high; between two counts what this loop lets in
/// is added. So a limit may be passed by what other loops let in within that second.
///
/// While the Store does not answer the last count goes on. One a loop; Store and clock outlive it.
class TenantQuota {
 public:
  /// `jobs_max` of 0: no limit, and nothing is counted.
  TenantQuota(Store& store, Clock& clock, std::uint32_t jobs_max)
      : store_(store), clock_(clock), jobs_max_(jobs_max) {}

 private:
  struct Count {
    std::uint64_t stored = 0;  ///< by the Store
    std::uint64_t since = 0;   ///< let in and noted since the Store was asked
    std::uint64_t coming = 0;  ///< let in, and not noted yet
    std::optional<Instant> read_at;
    std::shared_ptr<Signal> reading;  ///< set while the Store is asked

    std::uint64_t all() const { return stored + since + coming; }
  };

 public:
  /// One job's place among those of its tenant, from before it is queued.
  class Place {
   public:
    Place() = default;
    explicit Place(std::shared_ptr<Count> count) : count_(std::move(count)) { ++count_->coming; }
    Place(Place&&) = default;
    Place& operator=(Place&&) = delete;
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { leave(); }

    /// The Store will count it from here on.
    void noted() {
      if (count_) ++count_->since;
      leave();
    }

   private:
    void leave() {
      if (count_) --count_->coming;
      count_.reset();
    }
    std::shared_ptr<Count> count_;
  };

  /// A place, or why there is none: `quota_exceeded`.
  Task<std::expected<Place, Refusal>> enter(std::string tenant);

 private:
  std::shared_ptr<Count> count_of(const std::string& tenant);
  bool outdated(const Count& count) const;
  Task<> read(std::string tenant, std::shared_ptr<Count> count);

  Store& store_;
  Clock& clock_;
  const std::uint32_t jobs_max_;
  RecentlyUsed<std::shared_ptr<Count>> counts_;
};

}  // namespace millrace
