#include "shared/runtime/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <new>

namespace millrace {

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string mac(32, '\0');
  unsigned int bytes = 0;
  const auto* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                          reinterpret_cast<unsigned char*>(mac.data()), &bytes);
  if (!made || bytes != mac.size()) throw std::bad_alloc();
  return mac;
}

std::string to_base64(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // OpenSSL ends it with a NUL
  const int written = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                      reinterpret_cast<const unsigned char*>(bytes.data()),
                                      static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(written));
  return text;
}

std::string from_base64(std::string_view text) {
  std::string bytes(3 * (text.size() / 4) + 1, '\0');
  const int written = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()));
  const auto padding = text.size() - text.find_last_not_of('=') - 1;  // OpenSSL counts it as bytes
  if (written <= 0 || padding > 2) return {};
  bytes.resize(static_cast<std::size_t>(written) - padding);
  return bytes;
}

}  // namespace millrace
