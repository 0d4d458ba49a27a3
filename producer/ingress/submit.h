#pragma once
#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "producer/ingress/interrupt.h"
#include "producer/ingress/metrics.h"
#include "producer/ingress/oversize_inputs.h"
#include "producer/ingress/refusal.h"
#include "producer/ingress/tenant_quota.h"
#include "shared/contract/job.h"
#include "shared/contract/state.h"
#include "shared/event_log.h"
#include "shared/job_queue.h"
#include "shared/runtime/nursery.h"
#include "shared/runtime/random.h"
#include "shared/store.h"

namespace millrace {

/// A job that is durably queued.
struct Receipt {
  JobId id;
  std::string session;
  WallTime created_at{};
  JobState state = JobState::queued;
  bool attached = false;  ///< it was there already: the same key and the same body
};

using Submitted = std::expected<Receipt, Refusal>;

/// The accept path (design §1.1): a valid job in, a durable one or a refusal out. One a loop.
///
/// What the queue has acknowledged is accepted, whatever the event log and the Store do, unless the
/// log is `log_needed`: then a job it takes no record of is refused before it is queued. A job
/// the queue certainly has not leaves no record and no object; where that cannot be told the
/// refusal carries the id and the record stays. Once begun, a submission is seen through even when
/// its caller is cancelled.
class Submit {
 public:
  struct Parts {
    JobQueue& queue;
    EventLog& log;
    Store& store;
    ObjectStore& objects;
    Clock& clock;
    Random& random;
    IngressMetrics& metrics;
    Interrupt& interrupt;
    /// Log and queue stand on one disk, so where the log takes nothing no job could run.
    bool log_needed = false;
    /// Of what is written now something would be left; nothing is queued otherwise. Empty: always.
    std::function<bool()> keeps{};
    /// How many jobs a tenant may have. Null: any number.
    TenantQuota* quota = nullptr;
  };
  explicit Submit(Parts parts)
      : parts_(std::move(parts)), inputs_(parts_.objects, parts_.random), nursery_(parts_.clock) {}

  /// Gives the job a new id and queues it.
  Task<Submitted> fresh(Job job);

  /// The job's id comes from `key`, so the same request is one job however often and wherever
  /// it is made. `fingerprint` tells its body from another under the same key.
  Task<Submitted> keyed(Job job, std::string key, std::string fingerprint);

  /// Queues a job that is written already: under the id it has, its envelope as it stands, and in
  /// its session's turn whatever its `on_busy` says. Under an id that stands it is not queued
  /// again.
  Task<Submitted> again(Job job);

  /// Waits for what is still on its way; called once no request comes any more.
  Task<> join() { return nursery_.join(); }

 private:
  struct Record;  ///< what `accept` said, once it has said it
  struct Place;   ///< one of the `accepts_at_once_max`
  /// What the log has of a job that was just queued, or not.
  struct Standing {
    bool recorded = false;  ///< somebody can find it there
    bool withdraw = false;  ///< the record, if any, is this request's to take back
  };

  /// A job and its input, which is somewhere else if it is too large to travel with it.
  struct Draft;
  /// A refusal that names no job leaves none.
  using Queued = std::expected<void, Refusal>;

  std::optional<Refusal> refused_at_once(const Job& job, const Place& place) const;
  Task<Submitted> run_fresh(Draft& draft);
  Task<Submitted> run_keyed(Draft& draft, const std::string& fingerprint);
  Task<Submitted> join_record(Draft& draft, const std::string& fingerprint,
                              const Accepted& standing);
  Task<Queued> enter(Draft& draft);
  Task<Queued> enqueue(Draft& draft);
  Task<Submitted> settle(Draft& draft, std::string_view fingerprint, Queued queued, Standing stood);
  Task<Queued> make_way(const Job& job);
  Task<> until_noted(const Job& job);
  Task<> record(const Job& job, std::string queued_line, Record& into);

  std::string queued_line(const Job& job) const;
  Submitted count(Submitted submitted, Instant began);

  Parts parts_;
  OversizeInputs inputs_;
  Nursery nursery_;
  std::size_t on_their_way_ = 0;
};

}  // namespace millrace
