#pragma once
#include <string>
#include <string_view>

namespace millrace {

/// Joins characters that a model's server cut in two: holds the beginning of one (at most three
/// bytes) until the rest comes.
class Utf8Joiner {
 public:
  /// Whole characters, valid until the next call; `ok` is false where bytes can never become
  /// UTF-8.
  struct Joined {
    std::string_view text;
    bool ok = true;
  };
  Joined join(std::string_view piece);
  /// True while half a character is held.
  bool holds() const { return !held_.empty(); }

 private:
  std::string held_;
  std::string whole_;
};

}  // namespace millrace
