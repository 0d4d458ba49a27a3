#include "workers/llm/utf8_joiner.h"

#include <algorithm>
#include <cstdint>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

std::size_t character_bytes(char first) {
  const auto byte = static_cast<std::uint8_t>(first);
  if (byte >= 0xf5 || byte == 0xc0 || byte == 0xc1) return 1;  // begins nothing
  if (byte >= 0xf0) return 4;
  if (byte >= 0xe0) return 3;
  return byte >= 0xc0 ? 2 : 1;
}

bool follows(char c) {
  return (static_cast<std::uint8_t>(c) & 0xc0) == 0x80;
}

/// How many bytes at the end are the beginning of a character.
std::size_t half_bytes(std::string_view text) {
  const std::size_t most = std::min<std::size_t>(text.size(), 3);
  for (std::size_t back = 1; back <= most; ++back) {
    const char c = text[text.size() - back];
    if (!follows(c)) return character_bytes(c) > back ? back : 0;
  }
  return 0;
}

}  // namespace

Utf8Joiner::Joined Utf8Joiner::join(std::string_view piece) {
  whole_ = std::move(held_);
  whole_ += piece;
  held_.clear();
  const std::size_t half = half_bytes(whole_);
  held_.assign(whole_, whole_.size() - half);
  whole_.resize(whole_.size() - half);
  return {.text = whole_, .ok = valid_utf8(whole_)};
}

}  // namespace millrace
