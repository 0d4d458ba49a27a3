#pragma once
#include <string>
#include <string_view>

namespace millrace {

/// Walks the members of a JSON object and gives the text of each value as it was written: what a
/// DOM no longer has. The text must be known to be one valid JSON object; white space around it
/// is allowed.
class RawMembers {
 public:
  explicit RawMembers(std::string_view object);
  /// The value of the next member, without white space around it. Not called past the last.
  std::string_view next();

 private:
  void skip_space();
  void skip_string();
  void skip_value();

  const char* at_;
  const char* end_;
};

/// The same JSON on one line: as it is where it has no line breaks, else without white space.
std::string one_line(std::string_view json);

}  // namespace millrace
