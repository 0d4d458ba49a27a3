#include "shared/api_keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <new>

#include "shared/runtime/ids.h"

namespace millrace {
namespace {

constexpr std::string_view key_prefix = "mr_";
constexpr std::size_t hash_digits = 64;
constexpr std::size_t tenant_bytes_max = 64;
constexpr std::array all_scopes{Scope::submit, Scope::read, Scope::admin};

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/// SHA-256, fetched once a thread: to look the algorithm up costs more than to hash a key.
class Hasher {
 public:
  KeyHash operator()(std::string_view text) {
    KeyHash hash;
    const bool done = context_ && EVP_DigestInit_ex2(context_.get(), sha256_.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(context_.get(), text.data(), text.size()) == 1 &&
                      EVP_DigestFinal_ex(context_.get(), hash.bytes.data(), nullptr) == 1;
    if (!done) throw std::bad_alloc();
    return hash;
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const noexcept { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD, Free> sha256_{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  std::unique_ptr<EVP_MD_CTX, Free> context_{EVP_MD_CTX_new()};
};

std::string_view characters(const std::array<std::uint8_t, 32>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string_view to_string(Scope scope) {
  if (scope == Scope::submit) return "submit";
  return scope == Scope::read ? "read" : "admin";
}

std::optional<Scopes> Scopes::parse(std::string_view text) {
  Scopes scopes;
  for (;;) {
    const auto end = std::min(text.find(','), text.size());
    const auto* const named = std::ranges::find(all_scopes, text.substr(0, end),
                                                [](Scope scope) { return to_string(scope); });
    if (named == all_scopes.end()) return std::nullopt;
    scopes.add(*named);
    if (end == text.size()) return scopes;
    text.remove_prefix(end + 1);
  }
}

std::string Scopes::str() const {
  std::string text;
  for (const Scope scope : all_scopes)
    if (has(scope)) text.append(text.empty() ? "" : ",").append(to_string(scope));
  return text;
}

bool KeyHash::operator==(const KeyHash& other) const {
  return CRYPTO_memcmp(bytes.data(), other.bytes.data(), bytes.size()) == 0;
}

std::string KeyHash::str() const {
  return to_hex(characters(bytes));
}

std::optional<KeyHash> KeyHash::parse(std::string_view hex) {
  if (hex.size() != hash_digits) return std::nullopt;
  KeyHash hash;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return hash;
}

std::string new_api_key(Random& random) {
  std::array<std::uint8_t, 32> bits;
  random.fill(bits);
  return std::string(key_prefix) + to_hex(characters(bits));
}

std::optional<KeyHash> hash_of_key(std::string_view text) {
  if (text.size() != key_prefix.size() + hash_digits || !text.starts_with(key_prefix))
    return std::nullopt;
  thread_local Hasher hasher;
  return hasher(text);
}

bool is_tenant_name(std::string_view text) {
  if (text.empty() || text.size() > tenant_bytes_max || !is_letter_or_digit(text.front()))
    return false;
  return std::ranges::all_of(
      text, [](char c) { return is_letter_or_digit(c) || c == '.' || c == '_' || c == '-'; });
}

std::string key_id(const KeyHash& hash) {
  return "key_" + hash.str().substr(0, 16);
}

}  // namespace millrace
