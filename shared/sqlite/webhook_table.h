#pragma once
#include <string>
#include <vector>

#include "shared/sqlite/database.h"
#include "shared/webhooks.h"

namespace millrace::sqlite {

/// The statements of the outbox over one connection; as with JobTable. See Webhooks.
class WebhookTable {
 public:
  explicit WebhookTable(Database& database);

  Result<bool> any_due(WallTime now);
  Result<std::vector<WebhookTurn>> claim(const std::vector<std::string>& but, std::uint32_t most,
                                         WallTime now, WallTime until);
  Result<> settle(const JobId& job, const WebhookAttempt& attempt, const WebhookResult& result,
                  WallTime now);
  Result<std::uint64_t> pending();

  Result<std::vector<WebhookDelivery>> list(const DeliveryFilter& filter);
  Result<WebhookHistory> history(std::string_view tenant, const JobId& job);
  Result<WebhookDelivery> redeliver(std::string_view tenant, const JobId& job, WallTime now);

  /// The newest, and the one before where the newest was made after `goes_on_since`.
  Result<std::vector<std::string>> secrets(std::string_view tenant, WallTime goes_on_since);
  /// `fresh`, unless there is one.
  Result<std::vector<std::string>> first_secret(std::string_view tenant, std::string_view fresh,
                                                WallTime now, WallTime goes_on_since);
  Result<std::vector<std::string>> rotate(std::string_view tenant, std::string_view fresh,
                                          WallTime now, WallTime goes_on_since);

 private:
  Result<WebhookDelivery> find(std::string_view tenant, const JobId& job);
  Result<std::vector<WebhookAttempt>> attempts(const JobId& job);

  Database& database_;
  Statement any_due_;
  Statement take_;
  Statement settle_;
  Statement note_;
  Statement forget_;
};

}  // namespace millrace::sqlite
