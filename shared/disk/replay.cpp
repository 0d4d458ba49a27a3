#include "shared/disk/replay.h"

#include "shared/disk/rules.h"

namespace millrace::disk {
namespace {

Run run_of(const Entry& entry, const Place& place) {
  return {.segment = place.segment,
          .offset = place.offset + static_cast<std::uint32_t>(lines_offset(entry)),
          .length = static_cast<std::uint32_t>(entry.lines.size()),
          .count = entry.count,
          .first = entry.expected + 1};
}

}  // namespace

void Replay::take(const Entry& entry, const Place& place) {
  switch (entry.kind) {
    case Kind::record:
      return take_record(entry, place);
    case Kind::lines:
      return take_lines(entry, place);
    case Kind::standing:
      return take_standing(entry);
    case Kind::gone:
      live_.erase(entry.id);
      return;
    case Kind::copy:
    case Kind::restated:
    case Kind::probe:
      return;
  }
}

void Replay::take_record(const Entry& entry, const Place& place) {
  auto log = decode_record(entry.meta);
  if (!log) return;
  if (terminal(log->standing.state)) {
    live_.erase(entry.id);
    ended_[entry.id] = {.id = entry.id,
                        .record = place,
                        .oldest_segment = oldest_segment(log->runs, place.segment),
                        .ended_at = log->standing.ended_at};
    return;
  }
  if (entry.count > 0) log->runs.push_back(run_of(entry, place));
  live_[entry.id] = {.log = std::move(*log), .restated = place.segment};
}

void Replay::take_lines(const Entry& entry, const Place& place) {
  const auto found = live_.find(entry.id);
  if (found == live_.end()) return;
  auto& [identity, standing, runs] = found->second.log;
  found->second.doubted = false;  // its number tells whether any were lost
  if (entry.expected != standing.last) {
    standing.era = 0;
    return;
  }
  standing = after_append(standing, entry.count, entry.state, {});
  if (entry.count > 0) runs.push_back(run_of(entry, place));
}

/// One that counts other events than were read tells of some that are lost, unless it begins a gap.
void Replay::take_standing(const Entry& entry) {
  const auto found = live_.find(entry.id);
  const auto after = decode_standing(entry.meta);
  if (found == live_.end() || !after) return;
  auto& stands = found->second.log.standing;
  const Seq read = stands.last;
  const bool begins_gap = after->gap_from > 0 && after->gap_at == after->last;
  stands = *after;
  found->second.doubted = false;
  if (stands.last == read || begins_gap) return;
  stands.last = read;
  stands.era = 0;
}

void Replay::doubt() {
  for (auto& [id, job] : live_) job.doubted = true;
}

void Replay::keep(JobLog& log, std::size_t runs) {
  log.runs.resize(runs);
  log.standing.last = runs == 0 ? 0 : log.runs.back().last();
  log.standing.era = 0;
}

}  // namespace millrace::disk
