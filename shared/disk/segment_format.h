#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/contract/event.h"
#include "shared/contract/state.h"

/// The bytes of a segment: a head of `file_head_bytes`, then entries, each a head and its body.
///
///     file head   "mrevents", version u32, number u32
///     entry head  crc u32, body bytes u32, meta bytes u32, events u32, job id 16 bytes,
///                 expected seq u64, kind u8, state u8 (255: none), zero u16, zero u32
///     body        meta, then event lines as they are
///
/// Little-endian. An entry's crc covers all of it but itself and goes on from that of the entry
/// before, the first from the file head's: so bytes of a failed write that lie behind the end
/// cannot pass for entries that follow it.
namespace millrace::disk {

enum class Kind : std::uint8_t {
  record = 1,  ///< meta is a whole record (job_log.h), in place of all that was known of the job;
               ///< its lines follow the runs it names
  lines,       ///< more lines, and a new state that is not terminal
  standing,    ///< meta is a standing
  copy,        ///< lines of a record to come, which names them
  gone,        ///< the job is no longer known
  restated,    ///< every job that was live when this segment began has a record in it by now
  probe,       ///< nothing: whether writing works
};

struct Entry {
  Kind kind = Kind::lines;
  JobId id{};
  Seq expected = 0;  ///< number of the last event before the lines
  std::uint32_t count = 0;
  std::optional<JobState> state{};
  std::string_view meta{};
  std::string_view lines{};
};

inline constexpr std::size_t file_head_bytes = 16;
inline constexpr std::size_t entry_head_bytes = 48;
using FileHead = std::array<char, file_head_bytes>;
using EntryHead = std::array<char, entry_head_bytes>;

inline std::size_t size_of(const Entry& entry) {
  return entry_head_bytes + entry.meta.size() + entry.lines.size();
}
/// How far behind an entry's beginning its lines lie.
inline std::size_t lines_offset(const Entry& entry) {
  return entry_head_bytes + entry.meta.size();
}

FileHead file_head(std::uint32_t number);
/// What the first entry's crc goes on from.
std::uint32_t crc_of(const FileHead& head);
/// The number in a head; nothing when it is none of this version.
std::optional<std::uint32_t> number_in(std::string_view head);
bool names_other_version(std::string_view head);

/// The head of an entry behind one with crc `crc`, which becomes this one's.
EntryHead entry_head(const Entry& entry, std::uint32_t& crc);

/// What a head alone tells.
struct EntryFacts {
  std::uint32_t crc = 0;
  Kind kind = Kind::probe;
  JobId id{};
  Seq expected = 0;
  std::uint32_t count = 0;
  std::size_t meta = 0;   ///< bytes
  std::size_t lines = 0;  ///< bytes

  std::size_t body() const { return meta + lines; }
};
/// Nothing when the head makes no sense.
std::optional<EntryFacts> facts_in(std::string_view head);
/// The crc that stands in a head, whatever else does.
std::uint32_t crc_in(std::string_view head);
/// The entry in a head and its body, as views into them; nothing when it makes no sense. Whether
/// the crc is right is `crc_over`.
std::optional<Entry> entry_in(std::string_view whole);
std::uint32_t crc_over(std::string_view whole, std::uint32_t before);

}  // namespace millrace::disk
