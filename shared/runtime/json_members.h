#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "shared/runtime/time.h"

namespace millrace {

// Members of a JSON object that is being written: `out` ends with its `{` or with a whole member,
// which gets a comma. Names need no escapes.

void append_member_name(std::string& out, std::string_view name);
void append_member(std::string& out, std::string_view name, std::string_view text);
/// An empty text is null.
void append_member_or_null(std::string& out, std::string_view name, std::string_view text);
/// In RFC 3339; no time is null.
void append_member_time(std::string& out, std::string_view name, std::optional<WallTime> when);
/// JSON as it is; none is null.
void append_member_json(std::string& out, std::string_view name, std::string_view json);

}  // namespace millrace
