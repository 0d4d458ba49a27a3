#include "shared/disk/run_reader.h"

#include <algorithm>

#include "shared/runtime/json_text.h"

namespace millrace::disk {
namespace {

/// Two runs with less between them are read at once: reading that much costs what a call does.
constexpr std::uint32_t near_bytes = 4096;
constexpr std::uint32_t window_bytes_max = 1024 * 1024;

/// How many of these, from the first on, are worth one read.
std::size_t near_count(std::span<const Run> runs) {
  std::size_t count = 1;
  for (; count < runs.size(); ++count) {
    const Run& before = runs[count - 1];
    const Run& next = runs[count];
    const std::uint32_t end = before.offset + before.length;
    if (next.segment != before.segment || next.offset < end || next.offset - end > near_bytes ||
        next.offset + next.length - runs.front().offset > window_bytes_max)
      break;
  }
  return count;
}

/// Cheap, and enough to tell lines from what a crash or a disk put in their place.
bool looks_right(std::string_view lines, const Run& run) {
  std::string first;
  append_number(first, run.first);
  first += ' ';
  return lines.starts_with(first) && lines.ends_with('\n');
}

}  // namespace

const File& RunReader::segment(std::uint32_t number) {
  for (const auto& [open, file] : open_)
    if (open == number) return file;
  return open_.emplace_back(number, folder_.open(Folder::segment_name(number))).second;
}

Result<std::string> RunReader::read(std::span<const Run> runs) {
  std::string lines;
  while (!runs.empty()) {
    const std::size_t count = near_count(runs);
    const auto done = read_near(lines, runs.first(count));
    if (!done) return Failure(done.error());
    runs = runs.subspan(count);
  }
  return lines;
}

Result<> RunReader::read_near(std::string& out, std::span<const Run> runs) {
  const File& file = segment(runs.front().segment);
  if (!file) return Failure(Errc::not_found);
  const std::uint32_t begin = runs.front().offset;
  window_.clear();
  const std::uint32_t end = runs.back().offset + runs.back().length;
  const auto done = file.read(window_, begin, end - begin, patience_);
  if (!done) return done;
  for (const Run& run : runs) {
    const auto lines = std::string_view(window_).substr(run.offset - begin, run.length);
    if (!looks_right(lines, run)) return Failure(Errc::corrupt);
    out += lines;
  }
  return {};
}

RunChoice choose_runs(std::span<const Run> runs, Seq after, std::size_t events_max,
                      std::size_t bytes_max) {
  RunChoice choice;
  auto next =
      std::ranges::partition_point(runs, [after](const Run& run) { return run.last() <= after; });
  std::size_t events = 0;
  std::size_t bytes = 0;
  for (; next != runs.end() && events < events_max && bytes < bytes_max; ++next) {
    choice.runs.push_back(*next);
    events += next->first > after ? next->count : static_cast<std::size_t>(next->last() - after);
    bytes += next->length;
  }
  choice.more = next != runs.end();
  return choice;
}

bool cut_page(std::string& lines, Seq after, std::size_t events_max) {
  std::string_view rest = lines;
  EventLine event;
  std::size_t begin = 0;
  std::size_t count = 0;
  while (count < events_max && next_event(rest, event)) {
    if (event.seq > after)
      ++count;
    else
      begin = lines.size() - rest.size();
  }
  const std::size_t end = lines.size() - rest.size();
  const bool more = end < lines.size();
  lines.erase(end);
  lines.erase(0, begin);
  return more;
}

}  // namespace millrace::disk
