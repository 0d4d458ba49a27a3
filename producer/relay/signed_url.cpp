#include "producer/relay/signed_url.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "shared/runtime/limits.h"

namespace millrace::relay {
namespace {

// The purpose is signed too: a signature made for something else is none for this.
std::string signature_of(std::string_view secret, const JobId& id, std::string_view expires) {
  std::string text = "millrace job events\n";
  id.append_to(text);
  text.append("\n").append(expires);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int bytes = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &bytes);
  return to_hex({reinterpret_cast<const char*>(digest.data()), bytes});
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

SignedUrls::SignedUrls(std::string_view secrets) {
  while (!secrets.empty()) {
    const auto end = std::min(secrets.find(','), secrets.size());
    const auto secret = trimmed(secrets.substr(0, end));
    if (!secret.empty()) secrets_.emplace_back(secret);
    secrets.remove_prefix(std::min(end + 1, secrets.size()));
  }
}

std::string SignedUrls::sign(const JobId& id, WallTime now) const {
  std::string url = "/v1/jobs/" + id.str() + "/events";
  if (secrets_.empty()) return url;
  const auto until = std::chrono::ceil<std::chrono::seconds>(now + limits::stream_url_valid);
  const auto expires = std::to_string(until.time_since_epoch().count());
  url.append("?expires=").append(expires);
  url.append("&signature=").append(signature_of(secrets_.front(), id, expires));
  return url;
}

SignedUrls::Verdict SignedUrls::verify(const JobId& id, std::string_view expires,
                                       std::string_view signature, WallTime now) const {
  bool good = false;
  for (const auto& secret : secrets_) good |= same(signature_of(secret, id, expires), signature);
  if (!good) return Verdict::bad;
  // Signed by us, so a number.
  std::int64_t until = 0;
  std::from_chars(expires.data(), expires.data() + expires.size(), until);
  const bool late = now.time_since_epoch() >= std::chrono::seconds(until);
  return late ? Verdict::expired : Verdict::good;
}

}  // namespace millrace::relay
