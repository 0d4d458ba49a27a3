#pragma once
#include <string>
#include <string_view>

namespace millrace {

/// An error as native routes tell it: `application/problem+json` (RFC 9457) with the members
/// `field` (a JSON pointer or parameter name) and `code`. Every 4xx says what was wrong, what is
/// allowed and what to do.
struct Problem {
  int status = 500;
  std::string code;    ///< constant, snake_case: programs switch on it
  std::string title;   ///< the same for every problem of this code
  std::string detail;  ///< this one: the value, the limit, the remedy
  std::string field;   ///< empty where no single field is at fault
};

std::string to_json(const Problem& problem);

}  // namespace millrace
