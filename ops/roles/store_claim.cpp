#include "ops/roles/store_claim.h"

#include <stdexcept>

#include "shared/runtime/log.h"

namespace millrace {
namespace {

constexpr Duration claim_again_every = 2s;

}  // namespace

Task<> claim_store(EventLog& log, const Store& store, Clock& clock) {
  const std::string own = store.id();
  for (;;) {
    const auto standing = co_await log.claim_store(own);
    if (standing && *standing != own)
      throw std::runtime_error(
          "this Redis belongs to the store " + *standing + ", not to this one (" + own +
          "). Name the same DATABASE_URL everywhere (an SQLite file serves the processes of one "
          "host "
          "only, a Postgres those of many), or another REDIS_URL, or delete the key mr:store-id if "
          "the old store is gone for good.");
    if (standing) co_return;
    co_await clock.sleep_for(200ms);
  }
}

Task<> hold_store_claim(EventLog& log, const Store& store, Clock& clock) {
  co_await claim_store(log, store, clock);
  const std::string own = store.id();
  std::string known = own;
  for (;;) {
    co_await clock.sleep_for(claim_again_every);
    const auto standing = co_await log.claim_store(own);
    if (!standing || *standing == known) continue;
    known = *standing;
    if (known == own)
      log::info("store_claim_back");
    else
      log::error("store_claim_lost", {{"store", own}, {"standing", known}});
  }
}

}  // namespace millrace
