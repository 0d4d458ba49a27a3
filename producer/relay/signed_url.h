#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/runtime/ids.h"
#include "shared/runtime/time.h"

struct evp_mac_ctx_st;  // OpenSSL's header stays in the unit that signs

namespace millrace::relay {

/// Links to one job's events that carry their own permission, for EventSource, which cannot send
/// headers: `?expires=<seconds since 1970>&signature=<hex>`, the signature being HMAC-SHA256
/// (RFC 2104) over job id and expiry. May be asked from any thread.
class SignedUrls {
 public:
  /// `secrets`: MILLRACE_SECRET, separated by commas; the first signs, all are accepted, so that
  /// a new one can be rolled out. Without any no link is signed and no signature accepted.
  explicit SignedUrls(std::string_view secrets);

  /// Path and query, good for `limits::stream_url_valid` from `now`.
  std::string sign(const JobId& id, WallTime now) const;

  enum class Verdict { good, expired, bad };
  /// Compares in constant time.
  Verdict verify(const JobId& id, std::string_view expires, std::string_view signature,
                 WallTime now) const;

 private:
  struct FreeMac {
    void operator()(evp_mac_ctx_st* mac) const noexcept;
  };
  using Mac = std::unique_ptr<evp_mac_ctx_st, FreeMac>;
  static Mac keyed(std::string_view secret);
  static std::string signature_of(const Mac& keyed, const JobId& id, std::string_view expires);

  std::vector<Mac> keys_;  ///< each made ready once: setting up a key costs more than a signature
};

}  // namespace millrace::relay
