#include "producer/relay/signed_url.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>

#include "shared/runtime/limits.h"

namespace millrace::relay {
namespace {

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

void SignedUrls::FreeMac::operator()(evp_mac_ctx_st* mac) const noexcept {
  EVP_MAC_CTX_free(mac);
}

SignedUrls::Mac SignedUrls::keyed(std::string_view secret) {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac(
      EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
  Mac mac(hmac ? EVP_MAC_CTX_new(hmac.get()) : nullptr);
  char digest[] = "SHA256";
  const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                          OSSL_PARAM_construct_end()};
  const auto* const key = reinterpret_cast<const unsigned char*>(secret.data());
  if (!mac || !EVP_MAC_init(mac.get(), key, secret.size(), params.data())) throw std::bad_alloc();
  return mac;
}

// The purpose is signed too: a signature made for something else is none for this.
std::string SignedUrls::signature_of(const Mac& keyed, const JobId& id, std::string_view expires) {
  std::string text = "millrace job events\n";
  id.append_to(text);
  text.append("\n").append(expires);
  const Mac mac(EVP_MAC_CTX_dup(keyed.get()));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  std::size_t bytes = 0;
  if (!mac ||
      !EVP_MAC_update(mac.get(), reinterpret_cast<const unsigned char*>(text.data()),
                      text.size()) ||
      !EVP_MAC_final(mac.get(), digest.data(), &bytes, digest.size()))
    throw std::bad_alloc();
  return to_hex({reinterpret_cast<const char*>(digest.data()), bytes});
}

SignedUrls::SignedUrls(std::string_view secrets) {
  while (!secrets.empty()) {
    const auto end = std::min(secrets.find(','), secrets.size());
    const auto secret = trimmed(secrets.substr(0, end));
    if (!secret.empty()) keys_.push_back(keyed(secret));
    secrets.remove_prefix(std::min(end + 1, secrets.size()));
  }
}

std::string SignedUrls::sign(const JobId& id, WallTime now) const {
  std::string url = "/v1/jobs/" + id.str() + "/events";
  if (keys_.empty()) return url;
  const auto until = std::chrono::ceil<std::chrono::seconds>(now + limits::stream_url_valid);
  const auto expires = std::to_string(until.time_since_epoch().count());
  url.append("?expires=").append(expires);
  url.append("&signature=").append(signature_of(keys_.front(), id, expires));
  return url;
}

SignedUrls::Verdict SignedUrls::verify(const JobId& id, std::string_view expires,
                                       std::string_view signature, WallTime now) const {
  bool good = false;
  for (const auto& key : keys_) good |= same(signature_of(key, id, expires), signature);
  if (!good) return Verdict::bad;
  // Signed by us, so a number.
  std::int64_t until = 0;
  std::from_chars(expires.data(), expires.data() + expires.size(), until);
  const bool late = now.time_since_epoch() >= std::chrono::seconds(until);
  return late ? Verdict::expired : Verdict::good;
}

}  // namespace millrace::relay
