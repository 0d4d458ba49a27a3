#include "workers/pool/quiet_room.h"

namespace millrace {
namespace {
/// Takes the claim back if the wait for the others is cancelled.
struct Claim {
  std::atomic<bool>* claimed;
  ~Claim() {
    if (claimed) claimed->store(false);
  }
};
}  // namespace

Task<> QuietRoom::enter(Clock& clock) {
  for (;;) {
    inside_.fetch_add(1);
    if (!claimed_.load()) co_return;
    inside_.fetch_sub(1);
    co_await clock.sleep_for(look_every);
  }
}

Task<> QuietRoom::enter_alone(Clock& clock) {
  while (claimed_.exchange(true)) co_await clock.sleep_for(look_every);
  Claim claim{&claimed_};
  while (inside_.load() != 0) co_await clock.sleep_for(look_every);
  claim.claimed = nullptr;
}

}  // namespace millrace
