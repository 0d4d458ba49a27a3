#include "producer/relay/sequence.h"

#include <utility>

namespace millrace::relay {
namespace {
constexpr std::size_t waiting_bytes_max = 64 * 1024;  // beyond it the log is read once more
}  // namespace

std::string_view Sequence::take(std::string_view lines, Source source) {
  EventLine event;
  for (auto rest = lines; !ended_ && next_event(rest, event); lines = rest) {
    if (event.seq <= last()) continue;
    const auto lost = lost_before(last(), event);
    // A live snapshot may stand behind other events that were missed; in the log it is first.
    const bool hides = event.type == "snapshot" && event.seq > last() + 1;
    if (source == Source::live && (lost || hides)) return lines;
    if (lost) {
      std::string frame;
      append_made_frame(frame, "gap", made_gap_json(id_, *lost));
      tail_.append_made(frame);
    }
    tail_.append(event);
    ended_ = terminal_event(event.type);
  }
  return {};
}

void Sequence::keep(std::string_view lines) {
  if (waiting_.size() + lines.size() > waiting_bytes_max) {
    waiting_.clear();
    waiting_cut_ = true;
  } else {
    waiting_.append(lines);
  }
}

bool Sequence::take_live(std::string_view lines, bool reading) {
  if (ended_) return true;
  if (reading) {
    keep(lines);
    return true;
  }
  if (!based_) return false;
  const auto rest = take(lines, Source::live);
  if (rest.empty()) return true;
  EventLine event;
  auto walk = rest;
  next_event(walk, event);
  jump_ = event.seq;
  keep(rest);
  return false;
}

bool Sequence::take_page(const LogPage& page) {
  EventLine first;
  auto walk = std::string_view(page.lines);
  const bool some = next_event(walk, first);
  if (page.more) {
    // Too much for a tail: its readers fetch it by themselves, page by page.
    tail_.restart(page.last);
  } else if (!based_) {
    tail_.restart(some ? first.seq - 1 : page.last);
  }
  based_ = true;
  take(page.lines, Source::log);
  // The terminal event is the last there is; a page cut short ends before it.
  ended_ = ended_ || (terminal(page.state) && last() >= page.last);

  const bool again = std::exchange(waiting_cut_, false);
  const std::string waiting = std::exchange(waiting_, {});
  auto rest = take(waiting, Source::live);
  if (rest.empty()) return !again;
  next_event(walk = rest, first);
  if (first.seq == std::exchange(jump_, first.seq)) {
    // The log was read after this line had come, and does not hold what is before it.
    rest = take(rest, Source::log);
    return !again;
  }
  keep(rest);
  return false;
}

void Sequence::take_stored_end(std::string_view terminal_line) {
  if (!based_) tail_.restart(last_seq_possible - 1);
  based_ = true;
  log_gone_ = true;
  waiting_.clear();
  take(terminal_line, Source::log);
}

}  // namespace millrace::relay
