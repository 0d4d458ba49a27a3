#include "shared/disk/object_label.h"

#include <cstdint>
#include <limits>

#include "shared/disk/crc32c.h"

namespace millrace::disk {
namespace {

constexpr std::string_view magic{"mrobj\0\0\1", 8};
constexpr std::size_t checked_from = 12;
constexpr std::size_t hash_at = 40;
constexpr std::size_t hash_bytes = 64;
constexpr std::size_t names_at = hash_at + hash_bytes;
static_assert(names_at + limits::name_bytes_max + limits::object_key_bytes_max <= label_bytes);

constexpr std::int64_t never = std::numeric_limits<std::int64_t>::min();

template <class Number>
void append_number(std::string& out, Number number) {
  for (std::size_t i = 0; i < sizeof(Number); ++i)
    out += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
}

template <class Number>
Number number_at(std::string_view bytes, std::size_t at) {
  std::uint64_t number = 0;
  for (std::size_t i = sizeof(Number); i-- > 0;)
    number = number << 8 | static_cast<std::uint8_t>(bytes[at + i]);
  return static_cast<Number>(number);
}

std::int64_t ms_of(WallTime time) {
  return time.time_since_epoch().count();
}

WallTime time_of(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

}  // namespace

std::string encode_label(const ObjectLabel& label) {
  const auto& info = label.info;
  std::string checked;
  checked.reserve(label_bytes - checked_from);
  append_number(checked, static_cast<std::uint16_t>(label.tenant.size()));
  append_number(checked, static_cast<std::uint16_t>(info.key.size()));
  append_number(checked, info.size);
  append_number(checked, ms_of(info.created_at));
  append_number(checked, info.expires_at ? ms_of(*info.expires_at) : never);
  checked.append(info.sha256).append(label.tenant).append(info.key);
  checked.resize(label_bytes - checked_from);
  std::string out(magic);
  append_number(out, crc32c(checked));
  return out.append(checked);
}

std::optional<ObjectLabel> decode_label(std::string_view bytes) {
  if (bytes.size() < label_bytes || !bytes.starts_with(magic)) return std::nullopt;
  bytes = bytes.substr(0, label_bytes);
  if (number_at<std::uint32_t>(bytes, magic.size()) != crc32c(bytes.substr(checked_from)))
    return std::nullopt;
  const std::size_t tenant_bytes = number_at<std::uint16_t>(bytes, 12);
  const std::size_t key_bytes = number_at<std::uint16_t>(bytes, 14);
  if (names_at + tenant_bytes + key_bytes > label_bytes) return std::nullopt;
  ObjectLabel label;
  label.tenant = bytes.substr(names_at, tenant_bytes);
  label.info.key = bytes.substr(names_at + tenant_bytes, key_bytes);
  label.info.size = number_at<std::uint64_t>(bytes, 16);
  label.info.created_at = time_of(number_at<std::int64_t>(bytes, 24));
  const auto expires = number_at<std::int64_t>(bytes, 32);
  if (expires != never) label.info.expires_at = time_of(expires);
  label.info.sha256 = bytes.substr(hash_at, hash_bytes);
  return label;
}

}  // namespace millrace::disk
