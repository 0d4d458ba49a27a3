#include "shared/disk/job_log.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace millrace::disk {
namespace {

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <class Plain>
    requires std::is_trivially_copyable_v<Plain>
  void put(Plain value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    out_.append(bytes, sizeof value);
  }
  void put(const std::string& text) {
    put(static_cast<std::uint32_t>(text.size()));
    out_ += text;
  }
  /// Seven bits a byte, the last without its top bit (LEB128).
  void put_short(std::uint64_t value) {
    for (; value >= 128; value >>= 7) out_ += static_cast<char>(value | 128);
    out_ += static_cast<char>(value);
  }
  /// Small either way of zero is short.
  void put_difference(std::uint64_t value, std::uint64_t from) {
    const auto difference = static_cast<std::int64_t>(value - from);
    put_short(static_cast<std::uint64_t>(difference) << 1 ^
              static_cast<std::uint64_t>(difference >> 63));
  }

 private:
  std::string& out_;
};

/// Reads what Writer wrote; past the end everything is zero and `good` is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  template <class Plain>
    requires std::is_trivially_copyable_v<Plain>
  void get(Plain& value) {
    value = Plain{};
    if (const auto bytes = take(sizeof value); !bytes.empty())
      std::memcpy(&value, bytes.data(), sizeof value);
  }
  void get(std::string& text) {
    std::uint32_t size = 0;
    get(size);
    text = take(size);
  }
  std::uint64_t get_short() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      std::uint8_t byte = 0;
      get(byte);
      value |= std::uint64_t{byte & 127U} << shift;
      if (byte < 128) return value;
    }
    good_ = false;
    return 0;
  }
  std::uint64_t get_difference(std::uint64_t from) {
    const std::uint64_t value = get_short();
    return from + (value >> 1 ^ (~(value & 1) + 1));
  }
  bool good() const { return good_; }
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    if (count > left_.size()) {
      good_ = false;
      left_ = {};
      return {};
    }
    const auto taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }

  std::string_view left_;
  bool good_ = true;
};

enum Flag : std::uint8_t { acknowledged = 1, cancel_wanted = 2 };

void put(Writer& out, const Standing& standing) {
  out.put(standing.state);
  out.put(static_cast<std::uint8_t>((standing.acknowledged ? acknowledged : 0) |
                                    (standing.cancel_wanted ? cancel_wanted : 0)));
  out.put(standing.token.bytes);
  out.put(standing.by.bytes);
  out.put_short(standing.errors);
  out.put_short(standing.lost_runs);
  out.put_short(standing.attempt);
  out.put_short(standing.last);
  out.put_short(standing.gap_at);
  out.put_short(standing.gap_from);
  out.put_short(standing.era);
  out.put(std::int64_t{standing.ended_at.time_since_epoch().count()});
}

WallTime get_wall(Reader& in) {
  std::int64_t count = 0;
  in.get(count);
  return WallTime(WallTime::duration(count));
}

std::uint32_t get_count(Reader& in) {
  return static_cast<std::uint32_t>(in.get_short());
}

void get(Reader& in, Standing& standing) {
  std::uint8_t flags = 0;
  in.get(standing.state);
  in.get(flags);
  standing.acknowledged = (flags & acknowledged) != 0;
  standing.cancel_wanted = (flags & cancel_wanted) != 0;
  in.get(standing.token.bytes);
  in.get(standing.by.bytes);
  standing.errors = get_count(in);
  standing.lost_runs = get_count(in);
  standing.attempt = get_count(in);
  standing.last = in.get_short();
  standing.gap_at = in.get_short();
  standing.gap_from = in.get_short();
  standing.era = in.get_short();
  standing.ended_at = get_wall(in);
}

bool known(JobState state) {
  return state <= JobState::expired;
}

/// Most runs follow each other closely, in one file and with the next number: five bytes.
void put(Writer& out, const std::vector<Run>& runs) {
  out.put_short(runs.size());
  Run before;
  for (const Run& run : runs) {
    out.put_difference(run.segment, before.segment);
    out.put_difference(run.offset, before.offset + before.length);
    out.put_short(run.length);
    out.put_short(run.count);
    out.put_difference(run.first, before.first + before.count);
    before = run;
  }
}

void get(Reader& in, std::vector<Run>& runs) {
  const std::uint64_t count = in.get_short();
  Run before;
  for (std::uint64_t i = 0; i < count && in.good(); ++i) {
    Run run;
    run.segment = static_cast<std::uint32_t>(in.get_difference(before.segment));
    run.offset = static_cast<std::uint32_t>(in.get_difference(before.offset + before.length));
    run.length = get_count(in);
    run.count = get_count(in);
    run.first = in.get_difference(before.first + before.count);
    runs.push_back(run);
    before = run;
  }
}

}  // namespace

std::uint32_t oldest_segment(const std::vector<Run>& runs, std::uint32_t otherwise) {
  const auto oldest = std::ranges::min_element(runs, {}, &Run::segment);
  return oldest == runs.end() ? otherwise : oldest->segment;
}

void encode(std::string& out, const Identity& identity, const Standing& standing,
            const std::vector<Run>& runs) {
  Writer writer(out);
  put(writer, standing);
  writer.put(std::int64_t{identity.created_at.time_since_epoch().count()});
  writer.put(std::int64_t{identity.deadline.time_since_epoch().count()});
  writer.put(identity.tenant);
  writer.put(identity.session);
  writer.put(identity.kind);
  writer.put(identity.fingerprint);
  put(writer, runs);
}

void encode(std::string& out, const Standing& standing) {
  Writer writer(out);
  put(writer, standing);
}

std::optional<JobLog> decode_record(std::string_view bytes) {
  Reader reader(bytes);
  JobLog log;
  get(reader, log.standing);
  log.identity.created_at = get_wall(reader);
  log.identity.deadline = get_wall(reader);
  reader.get(log.identity.tenant);
  reader.get(log.identity.session);
  reader.get(log.identity.kind);
  reader.get(log.identity.fingerprint);
  get(reader, log.runs);
  if (!reader.good() || !reader.at_end() || !known(log.standing.state)) return std::nullopt;
  return log;
}

std::optional<Standing> decode_standing(std::string_view bytes) {
  Reader reader(bytes);
  Standing standing;
  get(reader, standing);
  if (!reader.good() || !reader.at_end() || !known(standing.state)) return std::nullopt;
  return standing;
}

}  // namespace millrace::disk
