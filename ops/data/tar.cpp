#include "ops/data/tar.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <stdexcept>

namespace millrace::tar {
namespace {

// Where the fields stand.
struct Field {
  std::size_t at;
  std::size_t size;
};
constexpr Field name_field{0, 100};
constexpr Field mode_field{100, 8};
constexpr Field owner_field{108, 8};
constexpr Field group_field{116, 8};
constexpr Field size_field{124, 12};
constexpr Field time_field{136, 12};
constexpr Field sum_field{148, 8};
constexpr std::size_t type_at = 156;
constexpr Field magic_field{257, 8};
constexpr std::string_view magic{"ustar\00000", 8};
constexpr Field prefix_field{345, 155};
constexpr char plain_file = '0';
constexpr std::uint64_t octal_end = std::uint64_t{1} << 33;  // eleven digits of three bits
constexpr char binary_mark = static_cast<char>(0x80);

void put_text(Block& block, Field field, std::string_view text) {
  std::ranges::copy(text, block.begin() + static_cast<std::ptrdiff_t>(field.at));
}

std::string text_at(const Block& block, Field field) {
  const std::string_view text(block.data() + field.at, field.size);
  return std::string(text.substr(0, text.find('\0')));
}

/// A long one in two parts, which a reader joins by a slash.
void put_name(Block& block, std::string_view name) {
  std::string_view prefix;
  if (name.size() > name_field.size) {
    const auto slash = name.rfind('/');
    if (slash == name.npos) throw std::logic_error("too long a name: " + std::string(name));
    prefix = name.substr(0, slash);
    name.remove_prefix(slash + 1);
  }
  if (prefix.size() > prefix_field.size || name.size() > name_field.size)
    throw std::logic_error("too long a name: " + std::string(prefix) + "/" + std::string(name));
  put_text(block, prefix_field, prefix);
  put_text(block, name_field, name);
}

/// Octal digits and a NUL, or a mark and the number by its bytes, highest first.
void put_number(Block& block, Field field, std::uint64_t number) {
  const auto bytes = std::span(block).subspan(field.at, field.size);
  if (number >= octal_end) {
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte, number >>= 8)
      *byte = static_cast<char>(number & 0xff);
    bytes.front() = binary_mark;
    return;
  }
  for (std::size_t i = field.size - 1; i-- > 0; number >>= 3)
    bytes[i] = static_cast<char>('0' + (number & 7));
}

std::optional<std::uint64_t> number_at(const Block& block, Field field) {
  const auto bytes = std::span(block).subspan(field.at, field.size);
  std::uint64_t number = 0;
  if (bytes.front() == binary_mark) {
    for (const char byte : bytes.subspan(field.size - 8))
      number = number << 8 | static_cast<std::uint8_t>(byte);
    return number;
  }
  const char* const end = std::find(bytes.data(), bytes.data() + bytes.size(), '\0');
  const auto [stop, error] = std::from_chars(bytes.data(), end, number, 8);
  return error == std::errc() && (stop == end || *stop == ' ') ? std::optional(number)
                                                               : std::nullopt;
}

/// Of all bytes, those of the sum itself taken as blanks.
std::uint64_t sum_of(const Block& block) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < block.size(); ++i) {
    const bool own = i >= sum_field.at && i < sum_field.at + sum_field.size;
    sum += own ? std::uint64_t{' '} : static_cast<std::uint8_t>(block[i]);
  }
  return sum;
}

}  // namespace

Block header(const Entry& entry, WallTime modified) {
  Block block{};
  put_name(block, entry.name);
  put_number(block, mode_field, 0600);
  put_number(block, owner_field, 0);
  put_number(block, group_field, 0);
  put_number(block, size_field, entry.size);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(modified.time_since_epoch());
  put_number(block, time_field,
             static_cast<std::uint64_t>(std::max<std::int64_t>(seconds.count(), 0)));
  block[type_at] = plain_file;
  put_text(block, magic_field, magic);
  put_number(block, sum_field, sum_of(block));
  return block;
}

std::expected<std::optional<Entry>, std::string> parse(const Block& block) {
  if (std::ranges::all_of(block, [](char byte) { return byte == '\0'; })) return std::nullopt;
  const auto sum = number_at(block, sum_field);
  const auto size = number_at(block, size_field);
  if (!sum || *sum != sum_of(block) || !size) return std::unexpected("no head of a file");
  if (block[type_at] != plain_file) return std::unexpected("no plain file");
  std::string name = text_at(block, prefix_field);
  if (!name.empty()) name += '/';
  return Entry{name + text_at(block, name_field), *size};
}

}  // namespace millrace::tar
