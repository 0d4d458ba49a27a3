#pragma once
#include <simdjson.h>

#include <string>
#include <string_view>

namespace millrace {

/// Walks the members of a JSON object, or the elements of a list, and gives the text of each value
/// as it was written: what a DOM no longer has. The text must be known to be valid JSON; white
/// space around it is allowed.
class RawMembers {
 public:
  explicit RawMembers(std::string_view json);
  /// The value of the next member, without white space around it. Not called past the last.
  std::string_view next();
  /// The same of a list.
  std::string_view next_element();

 private:
  std::string_view value();
  void skip_space();
  void skip_string();
  void skip_value();

  const char* at_;
  const char* end_;
};

/// The value of the first member of that name as it stands in `object`, of which `parsed` was
/// made; empty when there is none.
std::string_view raw_member(std::string_view object, simdjson::dom::element parsed,
                            std::string_view name);

/// The same JSON on one line: as it is where it has no line breaks, else without white space.
std::string one_line(std::string_view json);

}  // namespace millrace
