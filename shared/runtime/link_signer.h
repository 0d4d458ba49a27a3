#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/runtime/time.h"

struct evp_mac_ctx_st;  // OpenSSL's header stays in the unit that signs

namespace millrace {

/// Signs links that carry their own permission: HMAC-SHA256 (RFC 2104) over what the link opens and
/// when it expires. May be asked from any thread.
class LinkSigner {
 public:
  /// `secrets`: MILLRACE_SECRET, separated by commas; the first signs, all are accepted, so that
  /// a new one can be rolled out. Without any nothing is signed and no signature accepted.
  explicit LinkSigner(std::string_view secrets);

  /// The link's query, `expires=<seconds since 1970>&signature=<hex>`; empty without a secret.
  /// `what` names the purpose too, so that a signature made for something else is none for this,
  /// and no two things alike. `until` is rounded up to a second.
  std::string sign(std::string_view what, WallTime until) const;

  enum class Verdict { good, expired, bad };
  /// Compares in constant time.
  Verdict verify(std::string_view what, std::string_view expires, std::string_view signature,
                 WallTime now) const;

 private:
  struct FreeMac {
    void operator()(evp_mac_ctx_st* mac) const noexcept;
  };
  using Mac = std::unique_ptr<evp_mac_ctx_st, FreeMac>;
  static Mac keyed(std::string_view secret);
  static std::string signature_of(const Mac& keyed, std::string_view what,
                                  std::string_view expires);

  std::vector<Mac> keys_;  ///< each made ready once: setting up a key costs more than a signature
};

}  // namespace millrace
