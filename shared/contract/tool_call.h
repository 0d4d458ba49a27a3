#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// What a model wants the client to run for it.
struct ToolCall {
  std::string call_id;    ///< the client's answer names it
  std::string name;       ///< of the tool
  std::string arguments;  ///< as the model wrote them: JSON most of the time, but not promised
  bool operator==(const ToolCall&) const = default;
};

/// `"call_id":…,"name":…,"arguments":…`: the arguments stay a string.
void append_members(std::string& out, const ToolCall& call);

/// A JSON list of these as objects, and back; what is no such object, or no list, is left out.
void append_tool_calls(std::string& out, const std::vector<ToolCall>& calls);
std::vector<ToolCall> read_tool_calls(std::string_view json);

}  // namespace millrace
