#include "shared/http/one_meaning.h"

#include <algorithm>
#include <vector>

#include "shared/http/percent.h"
#include "shared/http/request_head.h"
#include "shared/runtime/json_text.h"

namespace millrace::http {
namespace {

constexpr std::size_t name_shown_bytes_max = 60;

std::string listed(std::initializer_list<std::string_view> known) {
  if (known.size() == 0) return "none is allowed here";
  std::string text = "allowed here:";
  for (const auto name : known) text.append(text.back() == ':' ? " " : ", ").append(name);
  return text;
}

}  // namespace

std::optional<Unheard> header_given_twice(const Request& request,
                                          std::initializer_list<std::string_view> names) {
  for (const auto name : names) {
    const auto same = [name](const auto& header) {
      return equal_ignoring_case(header.first, name);
    };
    if (std::ranges::count_if(request.headers, same) < 2) continue;
    return Unheard{std::string(name),
                   "The header " + std::string(name) + " is given twice; send it once."};
  }
  return std::nullopt;
}

std::optional<Unheard> unheard_parameter(const Request& request,
                                         std::initializer_list<std::string_view> known) {
  std::vector<std::string> seen;
  for (std::string_view rest = request.query; !rest.empty();) {
    const auto pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.empty()) continue;
    const auto name = query_decoded(pair.substr(0, pair.find('='))).value_or("");
    const std::string shown(cut_utf8(name, name_shown_bytes_max));
    if (std::ranges::find(known, name) == known.end())
      return Unheard{shown, "The parameter '" + shown + "' is not known; " + listed(known) + "."};
    if (std::ranges::find(seen, name) != seen.end())
      return Unheard{shown, "The parameter '" + shown + "' is given twice; give it once."};
    seen.push_back(name);
  }
  return std::nullopt;
}

}  // namespace millrace::http
