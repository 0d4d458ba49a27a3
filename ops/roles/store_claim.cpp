#include "ops/roles/store_claim.h"

#include <stdexcept>

namespace millrace {

Task<> claim_store(EventLog& log, const Store& store, Clock& clock) {
  const std::string own = store.id();
  for (;;) {
    const auto standing = co_await log.claim_store(own);
    if (standing && *standing != own)
      throw std::runtime_error(
          "this Redis belongs to the store " + *standing + ", not to this one (" + own +
          "): SQLite serves the processes of one host only. Name the same DATABASE_URL "
          "everywhere on one host, or another REDIS_URL, or delete the key mr:store-id if the "
          "old store is gone for good.");
    if (standing) co_return;
    co_await clock.sleep_for(200ms);
  }
}

}  // namespace millrace
