#include "shared/runtime/link_signer.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>

#include "shared/runtime/ids.h"

namespace millrace {
namespace {

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void LinkSigner::FreeMac::operator()(evp_mac_ctx_st* mac) const noexcept {
  EVP_MAC_CTX_free(mac);
}

LinkSigner::Mac LinkSigner::keyed(std::string_view secret) {
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac(
      EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
  Mac mac(hmac ? EVP_MAC_CTX_new(hmac.get()) : nullptr);
  char digest[] = "SHA256";
  const std::array params{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                          OSSL_PARAM_construct_end()};
  if (!mac || !EVP_MAC_init(mac.get(), bytes_of(secret), secret.size(), params.data()))
    throw std::bad_alloc();
  return mac;
}

std::string LinkSigner::signature_of(const Mac& keyed, std::string_view what,
                                     std::string_view expires) {
  std::string text(what);
  text.append("\n").append(expires);
  const Mac mac(EVP_MAC_CTX_dup(keyed.get()));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  std::size_t bytes = 0;
  if (!mac || !EVP_MAC_update(mac.get(), bytes_of(text), text.size()) ||
      !EVP_MAC_final(mac.get(), digest.data(), &bytes, digest.size()))
    throw std::bad_alloc();
  return to_hex({reinterpret_cast<const char*>(digest.data()), bytes});
}

LinkSigner::LinkSigner(std::string_view secrets) {
  while (!secrets.empty()) {
    const auto end = std::min(secrets.find(','), secrets.size());
    const auto secret = trimmed(secrets.substr(0, end));
    if (!secret.empty()) keys_.push_back(keyed(secret));
    secrets.remove_prefix(std::min(end + 1, secrets.size()));
  }
}

std::string LinkSigner::sign(std::string_view what, WallTime until) const {
  if (keys_.empty()) return {};
  const auto second = std::chrono::ceil<std::chrono::seconds>(until);
  const auto expires = std::to_string(second.time_since_epoch().count());
  return "expires=" + expires + "&signature=" + signature_of(keys_.front(), what, expires);
}

LinkSigner::Verdict LinkSigner::verify(std::string_view what, std::string_view expires,
                                       std::string_view signature, WallTime now) const {
  bool good = false;
  for (const auto& key : keys_) good |= same(signature_of(key, what, expires), signature);
  std::int64_t until = 0;
  const auto* const end = expires.data() + expires.size();
  const auto read = std::from_chars(expires.data(), end, until);
  if (!good || read.ec != std::errc() || read.ptr != end) return Verdict::bad;
  const bool late = now.time_since_epoch() >= std::chrono::seconds(until);
  return late ? Verdict::expired : Verdict::good;
}

}  // namespace millrace
