#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "shared/disk/replay.h"
#include "shared/disk/segment_log.h"
#include "shared/disk/segment_scan.h"
#include "shared/runtime/log.h"

// What a start finds: the segments and their indexes, and from them every job that lives.
namespace millrace::disk {
namespace {

constexpr const char* era_file = "era";
constexpr std::string_view closed = "closed";
constexpr std::string_view open = "open";

/// The kernel's name for this run of the machine; empty where it has none.
std::string kernel_boot_id() {
  std::string id;
  const File file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (!file || !file.read(id, 0, 36)) return {};
  return id;
}

struct SavedEra {
  std::uint64_t era = 0;
  std::string state;
  std::string machine_run;
};

/// `<era> open|closed <machine run>`, on one line.
SavedEra parse_era(std::string_view text) {
  SavedEra saved;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), saved.era);
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  if (error != std::errc() || !text.starts_with(' ')) return {};
  text.remove_prefix(1);
  saved.state = text.substr(0, text.find(' '));
  if (const auto space = text.find(' '); space != text.npos) {
    text.remove_prefix(space + 1);
    saved.machine_run = text.substr(0, text.find('\n'));
  }
  return saved;
}

/// True when every job that was live at its beginning has a record in the segment.
bool restates(const Folder& folder, std::uint32_t number) {
  const File file = folder.open(Folder::segment_name(number));
  SegmentScan scan(file, number);
  Entry entry;
  Place place;
  while (scan.next(entry, place))
    if (entry.kind == Kind::restated) return true;
  return false;
}

std::runtime_error not_writable(const std::string& folder) {
  return std::runtime_error("the folder of events " + folder +
                            " cannot be written: make room on its disk");
}

}  // namespace

/// Goes on in the era before, if nothing of it can be lost.
void SegmentLog::open_era(WallTime now) {
  machine_run_ = options_.machine_run.empty() ? kernel_boot_id() : options_.machine_run;
  const SavedEra saved = parse_era(folder_.read_all(era_file).value_or(""));
  const bool ran_on = !machine_run_.empty() && saved.machine_run == machine_run_;
  const auto clock_us = std::chrono::microseconds(now.time_since_epoch()).count();
  era_ = saved.era;
  if (saved.era == 0 || !(ran_on || saved.state == closed))
    era_ = std::max(saved.era + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(clock_us, 1)));
  if (!save_era(false)) throw not_writable(options_.folder);
}

bool SegmentLog::save_era(bool clean) {
  std::string text = std::to_string(era_);
  text.append(" ").append(clean ? closed : open).append(" ").append(machine_run_).append("\n");
  return folder_.replace(era_file, text);
}

void SegmentLog::recover() {
  const std::vector<std::uint32_t> segments = folder_.tidy_and_list();
  if (segments.empty()) return begin_first_segment();
  folder_.remove(Folder::index_name(segments.back()));  // it is written to again
  for (const auto number : segments) {
    if (number == segments.back()) break;
    if (auto index = SegmentIndex::open(folder_, number))
      ended_.add(std::move(index));
    else
      unsealed_.push_back(number);
  }
  // The newest segment that begins with every live job is where the reading begins; those before
  // are read only where their index is missing.
  auto begin = segments.end() - 1;
  while (begin != segments.begin() && !restates(folder_, *begin)) --begin;
  restated_in_ = *begin;

  Replay replay;
  Replay older;
  Damages damages;
  std::map<std::uint32_t, std::uint64_t> ends;
  for (auto number = segments.begin(); number != begin; ++number)
    if (!ended_.has(*number)) ends[*number] = read_segment(older, *number, damages).offset;
  SegmentEnd end;
  for (auto number = begin; number != segments.end(); ++number) {
    end = read_segment(replay, *number, damages);
    ends[*number] = end.offset;
  }
  cut(older, ends, damages);
  cut(replay, ends, damages);
  take_ended(older);  // what lives has a record further on
  take_ended(replay);
  take_live(replay);
  go_on(end, !damages.empty());
}

void SegmentLog::begin_first_segment() {
  File file = make_segment(folder_, 1);
  if (!file) throw not_writable(options_.folder);
  writer_ = std::make_unique<SegmentWriter>(folder_, std::move(file), fresh_end(1));
  restated_in_ = 1;
  if (!write(Entry{.kind = Kind::restated})) throw not_writable(options_.folder);
}

/// All of a segment that is whole; its end is 0 where not even its head is.
SegmentEnd SegmentLog::read_segment(Replay& replay, std::uint32_t number, Damages& damages) {
  const std::string name = Folder::segment_name(number);
  const File file = folder_.open(name);
  if (!file) throw std::runtime_error("cannot read " + options_.folder + "/" + name);
  SegmentScan scan(file, number);
  if (scan.of_other_version())
    throw std::runtime_error(options_.folder + "/" + name +
                             " was written by another version of millrace: run that one");
  Entry entry;
  Place place;
  std::size_t damages_known = 0;
  while (scan.next(entry, place)) {
    if (std::exchange(damages_known, scan.damages().size()) < scan.damages().size()) replay.doubt();
    replay.take(entry, place);
  }
  SegmentEnd end = scan.end();
  auto found = scan.damages();
  if (const auto tail = scan.damaged_tail()) {
    replay.doubt();
    found.push_back(*tail);
  }
  if (!found.empty()) {
    tell_damage(number, found);
    damages[number] = std::move(found);
  }
  if (!scan.good()) end.offset = 0;
  if (!scan.good() || scan.torn())
    log::warn("events_torn", {{"segment", name}, {"at", end.offset}});
  return end;
}

void SegmentLog::tell_damage(std::uint32_t number, const std::vector<Damage>& damages) const {
  const std::string name = Folder::segment_name(number);
  const std::string kept = folder_.keep_aside(name);
  for (const auto& [from, to] : damages)
    log::error("events_damaged", {{"file", options_.folder + "/" + name},
                                  {"at", from},
                                  {"bytes", to - from},
                                  {"kept_as", kept},
                                  {"remedy",
                                   "look after the disk; jobs that lost events go on "
                                   "with a gap, and their results are in the store"}});
}

/// Leaves out lines that are damaged or behind the end of their segment. An ended job that has some
/// counts as gone: the Store has its result.
void SegmentLog::cut(Replay& replay, std::map<std::uint32_t, std::uint64_t>& ends,
                     const Damages& damages) {
  const auto lost = [&](const Run& run) {
    const auto [end, fresh] = ends.try_emplace(run.segment, 0);
    if (fresh) end->second = folder_.open(Folder::segment_name(run.segment)).size();
    return std::uint64_t{run.offset} + run.length > end->second || damaged(damages, run);
  };
  replay.cut(lost);
  if (damages.empty()) return;
  replay.forget_ended([&](const EndedJob& ended) {
    const auto record = read_record(ended);
    return !record || std::ranges::any_of(record->runs, lost);
  });
}

void SegmentLog::take_ended(const Replay& replay) {
  for (const auto& [id, ended] : replay.ended())
    if (!ended_.has(ended.record.segment)) shard_of(id).ended[id] = ended;
}

void SegmentLog::take_live(Replay& replay) {
  for (auto& [id, job] : replay.live()) {
    Live live{.log = std::move(job.log)};
    live.restated = job.restated;
    for (const Run& run : live.log.runs) {
      live.events += run.count;
      live.bytes += run.length;
    }
    const Identity& identity = live.log.identity;
    sessions_.join(session_of(identity), identity.created_at, id, std::size_t(-1));
    shard_of(id).live[id] = std::move(live);
  }
}

/// Writes on in the newest segment behind its last whole entry. One that is damaged is left as soon
/// as may be: later starts then have nothing to read of it.
void SegmentLog::go_on(SegmentEnd end, bool damaged) {
  const bool empty = end.offset == 0;
  if (empty) end = fresh_end(end.number);
  File file = empty ? make_segment(folder_, end.number)
                    : folder_.open_to_write(Folder::segment_name(end.number));
  if (!file || ::ftruncate(file.fd(), end.offset) != 0) throw not_writable(options_.folder);
  writer_ = std::make_unique<SegmentWriter>(folder_, std::move(file), end);
  if (damaged)
    upkeep_.turn();
  else
    upkeep_.restate();
}

}  // namespace millrace::disk
