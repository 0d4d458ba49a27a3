#include "shared/runtime/json_members.h"

#include "shared/runtime/json_text.h"

namespace millrace {

void append_member_name(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  out.append("\"").append(name).append("\":");
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  append_member_name(out, name);
  append_json_string(out, text);
}

void append_member_or_null(std::string& out, std::string_view name, std::string_view text) {
  if (!text.empty()) return append_member(out, name, text);
  append_member_name(out, name);
  out += "null";
}

void append_member_time(std::string& out, std::string_view name, std::optional<WallTime> when) {
  append_member_name(out, name);
  if (!when) {
    out += "null";
    return;
  }
  out += '"';
  append_rfc3339(out, *when);
  out += '"';
}

void append_member_json(std::string& out, std::string_view name, std::string_view json) {
  append_member_name(out, name);
  out += json.empty() ? "null" : json;
}

}  // namespace millrace
