#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/contract/job.h"
#include "shared/contract/state.h"
#include "shared/contract/webhook.h"
#include "shared/runtime/error.h"
#include "shared/runtime/task.h"

namespace millrace {

enum class DeliveryState : std::uint8_t { pending, delivered, failed };
std::string_view to_string(DeliveryState state);
std::optional<DeliveryState> delivery_state(std::string_view name);

/// The one message about a job's end, on its way to the job's webhook.
struct WebhookDelivery {
  JobId job;
  std::string tenant;
  std::string url;
  JobState ended_as = JobState::succeeded;
  DeliveryState state = DeliveryState::pending;
  std::uint32_t attempts = 0;  ///< begun so far
  WallTime created_at{};
  std::optional<WallTime> next_at;     ///< pending: not before
  std::optional<WallTime> settled_at;  ///< delivered or failed
  int last_status = 0;                 ///< of the last attempt; 0: no answer
  std::string last_error;              ///< of the last attempt; empty: it was taken
};

/// One try to deliver, once it is over.
struct WebhookAttempt {
  std::uint32_t number = 0;
  WallTime at{};
  Duration took{};
  int status = 0;
  std::string error;
};

/// A try that is one sender's to make, until its lease ends.
struct WebhookTurn {
  JobId job;
  std::string tenant;
  std::string url;
  std::string host;
  std::uint32_t number = 0;  ///< of the attempt; rises, so a turn that was overtaken is known by it
  std::uint32_t tries = 0;   ///< since `queued_at`, this one included
  WallTime queued_at{};      ///< the job's end, or the wish to deliver again
};

/// What a try led to: nothing for a delivery that is over.
struct WebhookResult {
  DeliveryState state = DeliveryState::pending;
  WallTime next_at{};  ///< pending: the next try
};

struct WebhookHistory {
  WebhookDelivery delivery;
  std::vector<WebhookAttempt> attempts;  ///< newest first, at most `attempts_kept`
  static constexpr std::uint32_t attempts_kept = 100;
};

struct DeliveryFilter {
  std::string tenant = "default";
  std::optional<JobId> job;
  std::optional<DeliveryState> state;
  std::uint32_t limit = 20;
  /// Only deliveries older than that of this job, in (created_at, job) order.
  std::optional<JobId> after;
};

/// The outbox of webhooks in the Store, and what signs them. A delivery is made in the transaction
/// that ends its job (`Store::finish`, and `note_accepted` and `begin` of a job that was ended by
/// somebody who did not know its envelope), once, and goes with its job.
///
/// One object a loop. Errors as in Store; durable on return.
class Webhooks {
 public:
  virtual ~Webhooks() = default;

  /// The deliveries that are due, the longest first, at most `most`, none to a host of `but`. Each
  /// is the caller's alone for `lease`; then it is due again, for whoever comes.
  virtual Task<Result<std::vector<WebhookTurn>>> claim(std::vector<std::string> but,
                                                       std::uint32_t most, Duration lease) = 0;
  /// Notes how a turn ended; one that was overtaken changes nothing but the list of attempts.
  virtual Task<Result<>> settle(const WebhookTurn& turn, const WebhookAttempt& attempt,
                                const WebhookResult& result) = 0;
  /// Deliveries that are pending, of all tenants.
  virtual Task<Result<std::uint64_t>> pending() = 0;

  /// Newest first by (created_at, job). `not_found`: `after` is none of this tenant's.
  virtual Task<Result<std::vector<WebhookDelivery>>> list(const DeliveryFilter& filter) = 0;
  virtual Task<Result<WebhookHistory>> find(std::string_view tenant, const JobId& job) = 0;
  /// Makes it due now, however it stands, with the time for retries from the start.
  virtual Task<Result<WebhookDelivery>> redeliver(std::string_view tenant, const JobId& job) = 0;

  /// What signs this tenant's webhooks (`whsec_…`), newest first: one, or two for a day after
  /// `rotate`. The first question makes the first.
  virtual Task<Result<std::vector<std::string>>> secrets(std::string_view tenant) = 0;
  /// A new one, at once; of those before only the last goes on for a day.
  virtual Task<Result<std::vector<std::string>>> rotate(std::string_view tenant) = 0;
};

}  // namespace millrace
