#include "shared/contract/raw_members.h"

#include <cstring>

namespace millrace {

RawMembers::RawMembers(std::string_view json) : at_(json.data()), end_(json.data() + json.size()) {
  skip_space();
  if (at_ < end_) ++at_;  // the opening brace or bracket
}

std::string_view RawMembers::next() {
  skip_space();
  if (at_ < end_ && *at_ == ',') ++at_;
  skip_space();
  skip_string();
  skip_space();
  if (at_ < end_) ++at_;  // the colon
  return value();
}

std::string_view RawMembers::next_element() {
  skip_space();
  if (at_ < end_ && *at_ == ',') ++at_;
  return value();
}

std::string_view RawMembers::value() {
  skip_space();
  const char* begin = at_;
  skip_value();
  return {begin, static_cast<std::size_t>(at_ - begin)};
}

void RawMembers::skip_space() {
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
}

void RawMembers::skip_string() {
  const char* open = at_;
  while (at_ < end_) {
    const auto left = static_cast<std::size_t>(end_ - at_ - 1);
    const void* quote = std::memchr(at_ + 1, '"', left);
    if (!quote) break;
    at_ = static_cast<const char*>(quote);
    // A quote behind an odd number of backslashes belongs to the string.
    const char* back = at_;
    while (back - 1 > open && back[-1] == '\\') --back;
    if ((at_ - back) % 2 == 0) {
      ++at_;
      return;
    }
  }
  at_ = end_;
}

void RawMembers::skip_value() {
  int depth = 0;
  while (at_ < end_) {
    const char c = *at_;
    if (c == '"') {
      skip_string();
      if (depth == 0) return;
      continue;
    }
    if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return;  // behind a number or a word
      if (--depth == 0) {
        ++at_;
        return;
      }
    } else if (depth == 0 && (c == ',' || c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
      return;
    }
    ++at_;
  }
}

std::string_view raw_member(std::string_view object, simdjson::dom::element parsed,
                            std::string_view name) {
  simdjson::dom::object members;
  if (parsed[name].error() || parsed.get(members)) return {};
  RawMembers raw(object);
  for (const auto& [each, value] : members) {
    const auto written = raw.next();
    if (each == name) return written;
  }
  return {};
}

std::string one_line(std::string_view json) {
  // One search a character: each is a memchr, which find_first_of is not.
  const bool broken = json.find('\n') != json.npos || json.find('\r') != json.npos;
  if (!broken) return std::string(json);
  std::string out(json.size(), '\0');
  std::size_t size = 0;
  if (simdjson::minify(json.data(), json.size(), out.data(), size)) return std::string(json);
  out.resize(size);
  return out;
}

}  // namespace millrace
