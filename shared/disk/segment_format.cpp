#include "shared/disk/segment_format.h"

#include <cstring>

#include "shared/disk/crc32c.h"

namespace millrace::disk {
namespace {

constexpr std::string_view magic = "mrevents";
constexpr std::uint32_t version = 1;
constexpr std::uint8_t no_state = 255;

/// As it lies in the file.
struct Head {
  std::uint32_t crc;
  std::uint32_t body;
  std::uint32_t meta;
  std::uint32_t count;
  std::array<std::uint8_t, 16> id;
  std::uint64_t expected;
  Kind kind;
  std::uint8_t state;
  std::array<std::uint8_t, 6> zero;
};
static_assert(sizeof(Head) == entry_head_bytes);

template <class Plain>
Plain at(std::string_view bytes, std::size_t offset) {
  Plain value{};
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace

FileHead file_head(std::uint32_t number) {
  FileHead head;
  std::memcpy(head.data(), magic.data(), magic.size());
  std::memcpy(head.data() + 8, &version, 4);
  std::memcpy(head.data() + 12, &number, 4);
  return head;
}

std::uint32_t crc_of(const FileHead& head) {
  return crc32c({head.data(), head.size()});
}

std::optional<std::uint32_t> number_in(std::string_view head) {
  if (head.size() != file_head_bytes || !head.starts_with(magic)) return std::nullopt;
  if (at<std::uint32_t>(head, 8) != version) return std::nullopt;
  return at<std::uint32_t>(head, 12);
}

bool names_other_version(std::string_view head) {
  return head.size() == file_head_bytes && head.starts_with(magic) &&
         at<std::uint32_t>(head, 8) != version;
}

EntryHead entry_head(const Entry& entry, std::uint32_t& crc) {
  const Head head{.crc = 0,
                  .body = static_cast<std::uint32_t>(entry.meta.size() + entry.lines.size()),
                  .meta = static_cast<std::uint32_t>(entry.meta.size()),
                  .count = entry.count,
                  .id = entry.id.bytes,
                  .expected = entry.expected,
                  .kind = entry.kind,
                  .state = entry.state ? static_cast<std::uint8_t>(*entry.state) : no_state,
                  .zero = {}};
  EntryHead bytes;
  std::memcpy(bytes.data(), &head, sizeof head);
  crc = crc32c({bytes.data() + 4, bytes.size() - 4}, crc);
  crc = crc32c(entry.meta, crc);
  crc = crc32c(entry.lines, crc);
  std::memcpy(bytes.data(), &crc, sizeof crc);
  return bytes;
}

std::optional<EntryFacts> facts_in(std::string_view head) {
  const auto is = at<Head>(head, 0);
  if (is.kind < Kind::record || is.kind > Kind::probe || is.meta > is.body) return std::nullopt;
  if (is.zero != decltype(is.zero){}) return std::nullopt;
  return EntryFacts{.crc = is.crc,
                    .kind = is.kind,
                    .id = {is.id},
                    .expected = is.expected,
                    .count = is.count,
                    .meta = is.meta,
                    .lines = is.body - is.meta};
}

std::optional<Entry> entry_in(std::string_view whole) {
  const auto facts = facts_in(whole);
  if (!facts || whole.size() != entry_head_bytes + facts->body()) return std::nullopt;
  Entry entry{.kind = facts->kind,
              .id = facts->id,
              .expected = facts->expected,
              .count = facts->count,
              .state = {},
              .meta = whole.substr(entry_head_bytes, facts->meta),
              .lines = whole.substr(entry_head_bytes + facts->meta)};
  const auto state = at<Head>(whole, 0).state;
  if (state != no_state) {
    if (state > static_cast<std::uint8_t>(JobState::expired)) return std::nullopt;
    entry.state = static_cast<JobState>(state);
  }
  return entry;
}

std::uint32_t crc_in(std::string_view head) {
  return at<std::uint32_t>(head, 0);
}

std::uint32_t crc_over(std::string_view whole, std::uint32_t before) {
  return crc32c(whole.substr(4), before);
}

}  // namespace millrace::disk
