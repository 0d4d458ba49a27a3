#include "shared/disk/ended_index.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <mutex>

#include "shared/disk/crc32c.h"

namespace millrace::disk {

/// All numbers are little-endian; the crc is over all that follows it. Behind the head: 2^bits + 1
/// bucket beginnings (u32), then the rows.
struct SegmentIndex::Head {
  char magic[8];
  std::uint32_t crc;
  std::uint32_t rows;
  std::uint32_t bits;
  std::uint32_t oldest_segment;
  std::int64_t newest_end_ms;
  std::uint64_t first_made_ms;  ///< of the ids that tell (version 7)
  std::uint64_t last_made_ms;
  std::uint32_t untold;  ///< ids that do not
  std::uint32_t zero;
};

struct SegmentIndex::Row {
  std::array<std::uint8_t, 16> id;
  std::uint32_t offset;
  std::uint32_t oldest_segment;
  std::int64_t ended_at_ms;
};

namespace {

constexpr std::string_view magic = "mrindex1";
constexpr std::size_t rows_per_bucket = 8;

/// Even for ids that were made anyhow (the finisher of MurmurHash3).
std::uint64_t hash_of(const std::array<std::uint8_t, 16>& id) {
  std::uint64_t hash = 0;
  std::uint64_t upper = 0;
  std::memcpy(&hash, id.data() + 8, 8);
  std::memcpy(&upper, id.data(), 8);
  hash ^= upper;
  hash = (hash ^ hash >> 33) * 0xFF51AFD7ED558CCDULL;
  hash = (hash ^ hash >> 33) * 0xC4CEB9FE1A85EC53ULL;
  return hash ^ hash >> 33;
}

std::size_t bucket_of(std::uint64_t hash, std::uint32_t bits) {
  return bits == 0 ? 0 : static_cast<std::size_t>(hash >> (64 - bits));
}

/// When an id of version 7 was made (RFC 9562, 5.7).
std::optional<std::uint64_t> made_ms(const std::array<std::uint8_t, 16>& id) {
  if (id[6] >> 4 != 7) return std::nullopt;
  std::uint64_t ms = 0;
  for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | id[i];
  return ms;
}

template <class Plain>
void put(std::string& out, const Plain& value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

}  // namespace

std::string SegmentIndex::bytes_of(std::span<const EndedJob> jobs) {
  static_assert(sizeof(Head) == 56 && sizeof(Row) == 32);
  std::vector<std::pair<std::uint64_t, const EndedJob*>> sorted;
  sorted.reserve(jobs.size());
  Head head{};
  head.rows = static_cast<std::uint32_t>(jobs.size());
  head.first_made_ms = ~0ULL;
  std::memcpy(head.magic, magic.data(), magic.size());
  head.bits = static_cast<std::uint32_t>(std::bit_width(jobs.size() / rows_per_bucket));
  head.oldest_segment = ~0U;
  for (const EndedJob& job : jobs) {
    sorted.emplace_back(hash_of(job.id.bytes), &job);
    head.oldest_segment = std::min(head.oldest_segment, job.oldest_segment);
    head.newest_end_ms =
        std::max<std::int64_t>(head.newest_end_ms, job.ended_at.time_since_epoch().count());
    if (const auto ms = made_ms(job.id.bytes)) {
      head.first_made_ms = std::min(head.first_made_ms, *ms);
      head.last_made_ms = std::max(head.last_made_ms, *ms);
    } else {
      ++head.untold;
    }
  }
  std::ranges::sort(sorted, {}, &std::pair<std::uint64_t, const EndedJob*>::first);

  std::string bytes;
  put(bytes, head);
  const std::size_t buckets = std::size_t{1} << head.bits;
  std::uint32_t row = 0;
  for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
    put(bytes, row);
    while (row < sorted.size() && bucket_of(sorted[row].first, head.bits) == bucket) ++row;
  }
  put(bytes, row);
  for (const auto& [hash, job] : sorted)
    put(bytes, Row{.id = job->id.bytes,
                   .offset = job->record.offset,
                   .oldest_segment = job->oldest_segment,
                   .ended_at_ms = job->ended_at.time_since_epoch().count()});
  head.crc = crc32c(std::string_view(bytes).substr(12));
  std::memcpy(bytes.data() + 8, &head.crc, sizeof head.crc);
  return bytes;
}

std::unique_ptr<SegmentIndex> SegmentIndex::open(const Folder& folder, std::uint32_t segment) {
  const File file = folder.open(Folder::index_name(segment));
  const std::size_t size = file ? static_cast<std::size_t>(file.size()) : 0;
  if (size < sizeof(Head)) return nullptr;
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file.fd(), 0);
  if (mapped == MAP_FAILED) return nullptr;
  std::unique_ptr<SegmentIndex> index(
      new SegmentIndex(segment, static_cast<const char*>(mapped), size));
  return index->whole() ? std::move(index) : nullptr;
}

SegmentIndex::~SegmentIndex() {
  ::munmap(const_cast<char*>(bytes_), size_);
}

const SegmentIndex::Head& SegmentIndex::head() const {
  return *reinterpret_cast<const Head*>(bytes_);
}

bool SegmentIndex::whole() const {
  const Head& is = head();
  if (std::string_view(is.magic, sizeof is.magic) != magic || is.bits > 32) return false;
  const std::size_t buckets = (std::size_t{1} << is.bits) + 1;
  if (size_ != sizeof(Head) + 4 * buckets + sizeof(Row) * is.rows) return false;
  return crc32c({bytes_ + 12, size_ - 12}) == is.crc;
}

std::uint32_t SegmentIndex::oldest_segment() const {
  return std::min(head().oldest_segment, segment_);
}

WallTime SegmentIndex::newest_end() const {
  return WallTime(WallTime::duration(head().newest_end_ms));
}

std::size_t SegmentIndex::size() const {
  return head().rows;
}

std::optional<EndedJob> SegmentIndex::find(const JobId& id) const {
  const Head& is = head();
  if (const auto ms = made_ms(id.bytes)) {
    if (*ms < is.first_made_ms || *ms > is.last_made_ms) return std::nullopt;
  } else if (is.untold == 0) {
    return std::nullopt;
  }
  const char* const buckets = bytes_ + sizeof(Head);
  const char* const rows = buckets + 4 * ((std::size_t{1} << is.bits) + 1);
  std::uint32_t ends[2];
  std::memcpy(ends, buckets + 4 * bucket_of(hash_of(id.bytes), is.bits), sizeof ends);
  for (std::uint32_t i = ends[0]; i < ends[1]; ++i) {
    Row row;
    std::memcpy(&row, rows + sizeof(Row) * i, sizeof row);
    if (row.id != id.bytes) continue;
    return EndedJob{.id = id,
                    .record = {.segment = segment_, .offset = row.offset},
                    .oldest_segment = row.oldest_segment,
                    .ended_at = WallTime(WallTime::duration(row.ended_at_ms))};
  }
  return std::nullopt;
}

void EndedJobs::add(std::unique_ptr<SegmentIndex> index) {
  const std::unique_lock lock(mutex_);
  const std::uint32_t segment = index->segment();
  by_segment_[segment] = std::move(index);
}

void EndedJobs::remove(std::uint32_t segment) {
  const std::unique_lock lock(mutex_);
  by_segment_.erase(segment);
}

std::optional<EndedJob> EndedJobs::find(const JobId& id) const {
  const std::shared_lock lock(mutex_);
  for (const auto& [segment, index] : by_segment_)
    if (auto found = index->find(id)) return found;
  return std::nullopt;
}

bool EndedJobs::has(std::uint32_t segment) const {
  const std::shared_lock lock(mutex_);
  return by_segment_.contains(segment);
}

std::uint32_t EndedJobs::oldest_needed(WallTime since, std::uint32_t otherwise) const {
  const std::shared_lock lock(mutex_);
  std::uint32_t oldest = otherwise;
  for (const auto& [segment, index] : by_segment_)
    if (index->size() > 0 && index->newest_end() > since)
      oldest = std::min(oldest, index->oldest_segment());
  return oldest;
}

std::vector<std::uint32_t> EndedJobs::older_than(std::uint32_t before) const {
  const std::shared_lock lock(mutex_);
  std::vector<std::uint32_t> older;
  for (const auto& [segment, index] : by_segment_)
    if (segment < before) older.insert(older.begin(), segment);
  return older;
}

}  // namespace millrace::disk
