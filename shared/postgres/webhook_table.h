#pragma once
#include <string>
#include <vector>

#include "shared/postgres/connection.h"
#include "shared/webhooks.h"

namespace millrace::postgres {

/// The statements of the outbox over one connection; as with JobTable. See Webhooks.
class WebhookTable {
 public:
  explicit WebhookTable(Connection& connection) : connection_(connection) {}

  Task<Result<bool>> any_due(WallTime now);
  /// Leaves out what another process has in hand.
  Task<Result<std::vector<WebhookTurn>>> claim(const std::vector<std::string>& but,
                                               std::uint32_t most, WallTime now, WallTime until);
  Task<Result<>> settle(const JobId& job, const WebhookAttempt& attempt,
                        const WebhookResult& result, WallTime now);
  Task<Result<std::uint64_t>> pending();

  Task<Result<std::vector<WebhookDelivery>>> list(const DeliveryFilter& filter);
  Task<Result<WebhookHistory>> history(const std::string& tenant, const JobId& job);
  Task<Result<WebhookDelivery>> redeliver(const std::string& tenant, const JobId& job,
                                          WallTime now);

  /// The newest, and the one before where the newest was made after `goes_on_since`.
  Task<Result<std::vector<std::string>>> secrets(const std::string& tenant, WallTime goes_on_since);
  /// `fresh`, unless there is one.
  Task<Result<std::vector<std::string>>> first_secret(const std::string& tenant,
                                                      const std::string& fresh, WallTime now,
                                                      WallTime goes_on_since);
  Task<Result<std::vector<std::string>>> rotate(const std::string& tenant, const std::string& fresh,
                                                WallTime now, WallTime goes_on_since);

 private:
  Task<Result<WebhookDelivery>> find(const std::string& tenant, const JobId& job);

  Connection& connection_;
};

}  // namespace millrace::postgres
