#include "shared/redis/command_buffer.h"

#include <array>
#include <charconv>

#include "shared/runtime/json_text.h"

namespace millrace::redis {

void CommandBuffer::size(char sigil, std::size_t value) {
  text_ += sigil;
  append_number(text_, value);
  text_ += "\r\n";
}

void CommandBuffer::command(std::size_t parts) {
  starts_.push_back(text_.size());
  size('*', parts);
}

void CommandBuffer::part(std::string_view text) {
  size('$', text.size());
  text_.append(text).append("\r\n");
}

void CommandBuffer::part(std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  part(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
}

void CommandBuffer::part(std::string_view first, std::string_view second, std::string_view third) {
  size('$', first.size() + second.size() + third.size());
  text_.append(first).append(second).append(third).append("\r\n");
}

}  // namespace millrace::redis
