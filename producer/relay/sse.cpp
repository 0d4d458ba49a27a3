#include "producer/relay/sse.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>

#include "shared/runtime/json_text.h"

namespace millrace::relay {
namespace {

constexpr std::string_view event_field = "event: ";
constexpr std::string_view data_field = "\ndata: ";
constexpr std::string_view id_field = "\nid: ";
constexpr std::string_view frame_end = "\n\n";

std::size_t digits(Seq number) {
  std::size_t count = 1;
  while (number >= 10) {
    number /= 10;
    ++count;
  }
  return count;
}

char* put(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

std::optional<Seq> number_after(std::string_view text, std::string_view name) {
  const auto found = text.find(name);
  if (found == std::string_view::npos) return std::nullopt;
  Seq number = 0;
  const auto* start = text.data() + found + name.size();
  const auto [end, error] = std::from_chars(start, text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

std::string made_head(const JobId& id, std::string_view type) {
  std::string json = R"({"job":")";
  id.append_to(json);
  json.append(R"(","type":")").append(type).append("\"");
  return json;
}

}  // namespace

std::size_t frame_bytes(const EventLine& event) {
  return event_field.size() + event.type.size() + data_field.size() + event.json.size() +
         id_field.size() + digits(event.seq) + frame_end.size();
}

char* write_frame(char* to, const EventLine& event) {
  to = put(to, event_field);
  to = put(to, event.type);
  to = put(to, data_field);
  to = put(to, event.json);
  to = put(to, id_field);
  to = std::to_chars(to, to + 20, event.seq).ptr;
  return put(to, frame_end);
}

void append_frame(std::string& out, const EventLine& event) {
  out.append(event_field).append(event.type).append(data_field).append(event.json);
  out.append(id_field);
  append_number(out, event.seq);
  out.append(frame_end);
}

std::string made_gap_json(const JobId& id, Lost lost) {
  std::string json = made_head(id, "gap");
  json += R"(,"from":)";
  append_number(json, lost.from);
  json += R"(,"to":)";
  append_number(json, lost.to);
  json += '}';
  return json;
}

std::string made_snapshot_json(const JobId& id, std::string_view text, Seq upto) {
  std::string json = made_head(id, "snapshot");
  json += R"(,"text":)";
  append_json_string(json, text);
  json += R"(,"upto":)";
  append_number(json, upto);
  json += '}';
  return json;
}

void append_made_frame(std::string& out, std::string_view type, std::string_view json) {
  out.append(event_field).append(type).append(data_field).append(json).append(frame_end);
}

bool next_frame(std::string_view& frames, Frame& frame) {
  const auto end = frames.find(frame_end);
  if (end == std::string_view::npos || !frames.starts_with(event_field)) return false;
  frame.whole = frames.substr(0, end + frame_end.size());
  frames.remove_prefix(frame.whole.size());
  const auto body = frame.whole.substr(0, end);
  frame.type = body.substr(event_field.size(), body.find('\n') - event_field.size());
  const auto id = body.rfind(id_field);
  frame.seq = id == std::string_view::npos ? std::nullopt : number_after(body.substr(id), id_field);
  frame.head = frame.whole.substr(0, (frame.seq ? id : end) + 1);
  frame.data = frame.head.substr(event_field.size() + frame.type.size() + data_field.size());
  frame.data.remove_suffix(1);
  return true;
}

Seq gap_end(const Frame& frame) {
  constexpr Seq none = std::numeric_limits<Seq>::max();
  return frame.type == "gap" ? number_after(frame.head, R"("to":)").value_or(none) : none;
}

std::optional<Lost> lost_before(Seq last, const EventLine& event) {
  if (event.seq <= last + 1 || event.type == "snapshot") return std::nullopt;
  if (event.type != "gap") return Lost{last + 1, event.seq - 1};
  // The holder may have been ahead of this reader when the log was lost.
  const auto from = number_after(event.json, R"("from":)").value_or(0);
  if (from <= last + 1) return std::nullopt;
  return Lost{last + 1, std::min(from, event.seq) - 1};
}

FramedPage frame_page(const JobId& id, std::string_view lines, Seq last) {
  FramedPage page{.frames = {}, .last = last};
  page.frames.reserve(lines.size() + lines.size() / 4);
  EventLine event;
  while (!page.ended && next_event(lines, event)) {
    if (event.seq <= page.last) continue;
    if (const auto lost = lost_before(page.last, event)) {
      append_made_frame(page.frames, "gap", made_gap_json(id, *lost));
    }
    append_frame(page.frames, event);
    page.last = event.seq;
    page.ended = terminal_event(event.type);
    ++page.events;
  }
  return page;
}

}  // namespace millrace::relay
