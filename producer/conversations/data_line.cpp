#include "producer/conversations/data_line.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "shared/contract/raw_members.h"
#include "shared/runtime/json_text.h"

namespace millrace::conversations {
namespace {

constexpr std::array<std::string_view, 5> head{"job", "seq", "type", "ts", "elapsed"};

/// The number of the event's head; it stands in front of everything that somebody else wrote.
std::string_view elapsed_of(std::string_view event) {
  constexpr std::string_view name = R"(,"elapsed":)";
  const auto found = event.find(name);
  if (found == event.npos) return {};
  event.remove_prefix(found + name.size());
  return event.substr(0, event.find_first_of(",}"));
}

}  // namespace

DataLine::DataLine(std::string& out, std::string_view type) : out_(out) {
  out_.append(R"(data: {"type":")").append(type).append("\"");
}

DataLine& DataLine::text(std::string_view name, std::string_view value) {
  out_.append(",\"").append(name).append("\":");
  append_json_string(out_, value);
  return *this;
}

DataLine& DataLine::escaped(std::string_view name, std::string_view inside) {
  out_.append(",\"").append(name).append("\":\"").append(inside).append("\"");
  return *this;
}

DataLine& DataLine::json(std::string_view name, std::string_view json) {
  out_.append(",\"").append(name).append("\":").append(json.empty() ? "null" : json);
  return *this;
}

DataLine& DataLine::members_of(std::string_view event) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(event.data(), event.size()).get(object)) return *this;
  RawMembers raw(event);
  for (const auto member : object) {
    const auto value = raw.next();
    if (std::ranges::find(head, member.key) == head.end()) json(member.key, value);
  }
  return *this;
}

void DataLine::end(std::string_view event, std::optional<Seq> id) {
  const auto elapsed = elapsed_of(event);
  if (!elapsed.empty()) out_.append(R"(,"elapsed":)").append(elapsed);
  out_ += '}';
  if (id) {
    out_ += "\nid: ";
    append_number(out_, *id);
  }
  out_ += "\n\n";
}

void append_id_block(std::string& out, Seq id) {
  out += "id: ";
  append_number(out, id);
  out += "\n\n";
}

std::string_view delta_text(std::string_view event) {
  constexpr std::string_view name = R"(,"text":")";
  constexpr std::string_view end = R"("})";
  const auto found = event.find(name);
  if (found == event.npos || !event.ends_with(end)) return {};
  event.remove_prefix(found + name.size());
  event.remove_suffix(std::min(end.size(), event.size()));
  return event;
}

}  // namespace millrace::conversations
