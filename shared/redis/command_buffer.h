#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::redis {

/// Commands in the form in which they travel (RESP arrays of bulk strings,
/// https://redis.io/docs/latest/develop/reference/protocol-spec/), one behind the other in memory
/// that is kept for the next.
class CommandBuffer {
 public:
  void clear() {
    text_.clear();
    starts_.clear();
  }
  /// Begins a command of `parts` parts; exactly as many `part`s follow.
  void command(std::size_t parts);
  void part(std::string_view text);
  void part(const std::string& text) { part(std::string_view(text)); }
  void part(const char* text) { part(std::string_view(text)); }
  void part(std::uint64_t number);
  /// A part joined of two or three pieces.
  void part(std::string_view first, std::string_view second, std::string_view third);

  void command(std::initializer_list<std::string_view> parts) {
    command(parts.size());
    for (const auto piece : parts) part(piece);
  }

  std::size_t count() const { return starts_.size(); }
  /// All of them, as they travel.
  std::string_view text() const { return text_; }

 private:
  void size(char sigil, std::size_t value);

  std::string text_;
  std::vector<std::size_t> starts_;
};

}  // namespace millrace::redis
