#pragma once
#include <openssl/types.h>

#include <memory>
#include <string>
#include <string_view>

namespace millrace {

/// SHA-256 of bytes that come piece by piece (FIPS 180-4). As `fingerprint`, for what is too large
/// to hold.
class Sha256 {
 public:
  Sha256();
  void add(std::string_view bytes);
  /// Lower-case hex of all that was added. Nothing can be added afterwards.
  std::string hex();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const;
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace millrace
