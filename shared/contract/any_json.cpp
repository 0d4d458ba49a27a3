#include "shared/contract/any_json.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace millrace {
namespace {

constexpr std::string_view stand_in = "1e99";
constexpr std::size_t digits_of_64_bits = 18;  ///< any number of so many digits fits

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes digits off the front; how many there were.
std::size_t take_digits(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_digit);
  const auto count = static_cast<std::size_t>(end - text.begin());
  text.remove_prefix(count);
  return count;
}

/// What is wrong by the grammar stays as it is: the parser says so.
bool beyond_range(const std::string& number) {
  std::string_view rest = number;
  if (rest.starts_with('-')) rest.remove_prefix(1);
  const bool zero_first = rest.starts_with('0');
  const std::size_t whole = take_digits(rest);
  if (whole == 0 || (zero_first && whole > 1)) return false;
  if (rest.empty()) return whole > digits_of_64_bits;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    if (take_digits(rest) == 0) return false;
  }
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
    if (take_digits(rest) == 0) return false;
  }
  return rest.empty() && std::isinf(std::strtod(number.c_str(), nullptr));
}

std::size_t after_string(std::string_view json, std::size_t quote) {
  for (std::size_t at = quote + 1; at < json.size(); ++at) {
    if (json[at] == '\\')
      ++at;
    else if (json[at] == '"')
      return at + 1;
  }
  return json.size();
}

}  // namespace

std::string numbers_in_range(std::string_view json) {
  std::string out(json);
  for (std::size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      at = after_string(json, at);
    } else if (json[at] == '-' || is_digit(json[at])) {
      const auto end = std::min(json.find_first_not_of("+-.0123456789Ee", at), json.size());
      const std::string number(json.substr(at, end - at));
      if (number.size() > stand_in.size() && beyond_range(number)) {
        std::fill_n(out.begin() + static_cast<std::ptrdiff_t>(at), number.size(), ' ');
        out.replace(at, stand_in.size(), stand_in);
      }
      at = end;
    } else {
      ++at;
    }
  }
  return out;
}

simdjson::error_code parse_any_json(simdjson::dom::parser& parser, std::string_view json,
                                    simdjson::dom::element& root) {
  const auto error = parser.parse(json.data(), json.size()).get(root);
  if (error != simdjson::NUMBER_ERROR) return error;
  return parser.parse(numbers_in_range(json)).get(root);
}

}  // namespace millrace
