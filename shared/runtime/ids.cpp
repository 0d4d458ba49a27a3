#include "shared/runtime/ids.h"

#include <openssl/sha.h>

namespace millrace {
namespace {

constexpr char hex_digits[] = "0123456789abcdef";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool dash_before(std::size_t byte) {
  return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

void set_version(JobId& id, std::uint8_t version) {
  id.bytes[6] = static_cast<std::uint8_t>(version << 4 | (id.bytes[6] & 0x0f));
  id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));  // RFC 9562 variant
}

template <class Bytes>
std::string hex(const Bytes& bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto raw : bytes) {
    const auto byte = static_cast<std::uint8_t>(raw);
    out += hex_digits[byte >> 4];
    out += hex_digits[byte & 0x0f];
  }
  return out;
}

}  // namespace

void JobId::append_to(std::string& out) const {
  std::array<char, 36> text;
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (dash_before(i)) text[at++] = '-';
    text[at++] = hex_digits[bytes[i] >> 4];
    text[at++] = hex_digits[bytes[i] & 0x0f];
  }
  out.append(text.data(), text.size());
}

std::string JobId::str() const {
  std::string out;
  append_to(out);
  return out;
}

std::optional<JobId> JobId::parse(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  JobId id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (dash_before(i) && text[at++] != '-') return std::nullopt;
    const int high = hex_value(text[at++]);
    const int low = hex_value(text[at++]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return id;
}

JobId new_job_id(WallTime now, Random& random) {
  JobId id;
  random.fill(id.bytes);
  const auto milliseconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = 0; i < 6; ++i)
    id.bytes[i] = static_cast<std::uint8_t>(milliseconds >> (8 * (5 - i)));
  set_version(id, 7);
  return id;
}

JobId derived_job_id(std::string_view tenant, std::string_view idempotency_key) {
  // The length in front keeps ("ab","c") and ("a","bc") apart.
  std::string input = std::to_string(tenant.size());
  input.append(":").append(tenant).append(idempotency_key);
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(input.data()), input.size(), digest.data());
  JobId id;
  std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
  set_version(id, 8);
  return id;
}

std::string fingerprint(std::string_view bytes) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return hex(digest);
}

std::string Token::str() const {
  return hex(bytes);
}

Token new_token(Random& random) {
  Token token;
  random.fill(token.bytes);
  return token;
}

std::string to_hex(std::string_view bytes) {
  return hex(bytes);
}

}  // namespace millrace
