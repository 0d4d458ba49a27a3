#pragma once
#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

/// A function that a request lets the simulator call.
struct SimTool {
  std::string name;
  std::string arguments;  ///< made from its schema: the required ones, or all where none is
};

/// The tools of a request that may be called: none where `tool_choice` forbids it, one where it
/// names one.
std::vector<SimTool> callable_tools(simdjson::dom::object request);

/// A piece of a call, as a token's worth of it is streamed.
struct SimToolPiece {
  std::size_t call = 0;   ///< counted from 0
  bool first = false;     ///< of its call: says its id and the tool's name
  std::string arguments;  ///< what it adds to them
};

/// `calls` calls, of one tool after another, in pieces of a few characters.
std::vector<SimToolPiece> tool_pieces(const std::vector<SimTool>& tools, std::uint32_t calls);

}  // namespace millrace
