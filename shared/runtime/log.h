#pragma once
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

/// The program's log on stderr: a fact a line, a constant event name and its keys. One JSON
/// object a line, or text on a terminal. Thread-safe; never called per token.
namespace millrace::log {

enum class Level { debug, info, warn, error };

/// One key and its value, already in its JSON form.
class Field {
 public:
  /// Text is escaped and cut to 500 bytes.
  Field(std::string_view key, std::string_view text);
  Field(std::string_view key, const std::string& text) : Field(key, std::string_view(text)) {}
  Field(std::string_view key, const char* text) : Field(key, std::string_view(text)) {}
  Field(std::string_view key, bool value) : key_(key), json_(value ? "true" : "false") {}
  template <std::integral N>
  Field(std::string_view key, N value) : key_(key), json_(std::to_string(value)) {}
  template <std::floating_point N>
  Field(std::string_view key, N value) : key_(key), json_(std::to_string(value)) {}

  std::string_view key() const { return key_; }
  const std::string& json() const { return json_; }

 private:
  std::string_view key_;
  std::string json_;
};

using Fields = std::initializer_list<Field>;

/// Called once by main, before the first line.
void open(Level least, bool json);

void write(Level level, std::string_view event, Fields fields);
inline void debug(std::string_view event, Fields fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) {
  write(Level::info, event, fields);
}
inline void warn(std::string_view event, Fields fields = {}) {
  write(Level::warn, event, fields);
}
inline void error(std::string_view event, Fields fields = {}) {
  write(Level::error, event, fields);
}

}  // namespace millrace::log
