#pragma once
#include <algorithm>

#include "shared/runtime/ids.h"
#include "shared/runtime/limits.h"

namespace millrace {

/// What a holder itself knows of its lease: counted on its own monotonic clock, from before the
/// request that was granted had been sent. So it always ends earlier here than in the log,
/// whatever the network or either wall clock does.
class Lease {
 public:
  explicit Lease(Token token) : token_(token) {}

  const Token& token() const { return token_; }
  /// A begin or append that was sent at `sent` has been granted.
  void granted(Instant sent) {
    renewed_ = std::max(renewed_, sent);
    granted_ = true;
  }
  /// True while a model call, an effect or an outcome may still be begun.
  bool may_act(Instant now) const {
    return granted_ && now + limits::lease_left_to_act <= renewed_ + limits::lease_for;
  }
  bool renewal_due(Instant now) const { return now >= renewed_ + limits::lease_renew_every; }

 private:
  Token token_;
  Instant renewed_{};
  bool granted_ = false;
};

}  // namespace millrace
