#include "shared/contract/log_cap.h"

#include <algorithm>
#include <vector>

namespace millrace {
namespace {

using Events = std::vector<EventLine>;

Events parsed(std::string_view lines) {
  Events events;
  EventLine event;
  while (next_event(lines, event)) events.push_back(event);
  return events;
}

/// Where the newest events begin that fit.
std::size_t newest(const Events& events, KeptEvents kept) {
  std::size_t begin = events.size();
  std::size_t bytes = 0;
  while (begin > 0 && events.size() - begin < kept.events_max) {
    bytes += events[begin - 1].whole.size();
    if (bytes > kept.bytes_max) break;
    --begin;
  }
  return begin;
}

bool text_event(const EventLine& event) {
  return event.type == "delta" || event.type == "rewind" || event.type == "snapshot";
}

}  // namespace

ShortenedLog shortened(std::string_view lines, const EventWriter& writer, WallTime now,
                       KeptEvents kept) {
  const Events events = parsed(lines);
  const std::size_t end = newest(events, kept);
  if (end == 0) return {};

  TextFold fold;
  Events others;
  Seq upto = 0;
  for (std::size_t i = 0; i < end; ++i) {
    fold.take(events[i]);
    if (text_event(events[i]))
      upto = events[i].seq;
    else if (!aside_event(events[i].type))
      others.push_back(events[i]);
  }

  ShortenedLog result;
  result.from = events[end - 1].seq + 1;
  bool snapshot_due = upto > 0;
  const auto write_snapshot = [&] {
    if (std::exchange(snapshot_due, false))
      writer.snapshot(result.lines, {upto, now}, fold.text(), upto);
  };
  for (std::size_t i = newest(others, kept); i < others.size(); ++i) {
    if (others[i].seq > upto) write_snapshot();
    result.lines += others[i].whole;
  }
  write_snapshot();
  return result;
}

}  // namespace millrace
