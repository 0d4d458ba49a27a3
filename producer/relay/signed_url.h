#pragma once
#include <string>
#include <string_view>

#include "shared/runtime/ids.h"
#include "shared/runtime/link_signer.h"

namespace millrace::relay {

/// Links to one job's events that carry their own permission, for EventSource, which cannot send
/// headers. May be asked from any thread; the signer outlives it.
class SignedUrls {
 public:
  explicit SignedUrls(const LinkSigner& signer) : signer_(signer) {}

  /// Path and query, good for `limits::stream_url_valid` from `now`; without a secret unsigned.
  std::string sign(const JobId& id, WallTime now) const;

  using Verdict = LinkSigner::Verdict;
  Verdict verify(const JobId& id, std::string_view expires, std::string_view signature,
                 WallTime now) const;

 private:
  const LinkSigner& signer_;
};

}  // namespace millrace::relay
