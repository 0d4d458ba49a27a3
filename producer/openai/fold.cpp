#include "producer/openai/fold.h"

#include <charconv>

namespace millrace::openai {

// Nothing in front of the member can hold these bytes.
std::string_view text_member(std::string_view json, std::string_view end) {
  constexpr std::string_view name = R"(,"text":")";
  const auto found = json.find(name);
  const auto stop = end.size() == 2 ? json.size() - 2 : json.rfind(end);
  if (found == json.npos || stop == json.npos || found + name.size() > stop) return {};
  return json.substr(found + name.size(), stop - found - name.size());
}

Seq number_member(std::string_view json, std::string_view name) {
  Seq number = 0;
  const auto found = json.find(name);
  if (found == json.npos) return 0;
  std::from_chars(json.data() + found + name.size(), json.data() + json.size(), number);
  return number;
}

}  // namespace millrace::openai
