#pragma once
#include <memory>

#include "ops/roles/counts_export.h"
#include "shared/api_keys.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/config.h"
#include "shared/runtime/random.h"
#include "shared/sessions.h"
#include "shared/store.h"
#include "shared/webhooks.h"

namespace millrace {

/// The Store of a process on servers: a Postgres, or an SQLite file for the processes of one host.
class ChosenStore {
 public:
  virtual ~ChosenStore() = default;
  virtual std::unique_ptr<Store> port(Clock& clock) = 0;
  virtual std::unique_ptr<Sessions> sessions(Clock& clock, Duration timeout) = 0;
  virtual std::unique_ptr<ApiKeys> api_keys(Clock& clock) = 0;
  virtual std::unique_ptr<Webhooks> webhooks(Clock& clock) = 0;
  virtual Task<> remove_old_jobs(Clock& clock, Duration kept) = 0;
  virtual Task<> remove_old_sessions(Clock& clock, Duration timeout) = 0;
  virtual void export_counts(CountsExport& to) const = 0;
};

/// As DATABASE_URL says. Throws std::runtime_error with a sentence when it cannot be used.
std::unique_ptr<ChosenStore> choose_store(const Config& config, Random& random);

}  // namespace millrace
