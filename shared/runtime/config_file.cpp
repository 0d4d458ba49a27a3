#include "shared/runtime/config_file.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace millrace::config_file {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool variable_name(std::string_view name) {
  constexpr auto letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
  return !name.empty() && name.find_first_not_of(letters) == name.npos;
}

std::string unquoted(std::string_view value) {
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'')) {
    const auto end = value.find(value.front(), 1);
    if (end != value.npos) return std::string(value.substr(1, end - 1));
  }
  // An unquoted `#` begins a comment only after a blank: passwords and URLs may hold one.
  const auto comment = value.find(" #");
  return std::string(trimmed(value.substr(0, comment)));
}

}  // namespace

std::optional<std::filesystem::path> nearest_dotenv(std::filesystem::path folder) {
  std::error_code ignored;
  for (;; folder = folder.parent_path()) {
    if (std::filesystem::is_regular_file(folder / ".env", ignored)) return folder / ".env";
    if (folder == folder.parent_path()) return std::nullopt;
  }
}

Settings parse_dotenv(std::string_view text, const std::string& origin) {
  Settings settings;
  for (std::size_t line_number = 1; !text.empty(); ++line_number) {
    const auto end = text.find('\n');
    auto line = trimmed(text.substr(0, end));
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("export ")) line = trimmed(line.substr(7));
    const auto equals = line.find('=');
    const auto name = trimmed(line.substr(0, equals));
    if (equals == line.npos || !variable_name(name)) {
      // The line itself is not shown: it may be half a secret.
      throw std::invalid_argument(
          fmt::format("{} line {}: expected NAME=value", origin, line_number));
    }
    settings[std::string(name)] = unquoted(trimmed(line.substr(equals + 1)));
  }
  return settings;
}

Settings read_dotenv(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) throw std::invalid_argument(fmt::format("{} cannot be read", file.string()));
  std::stringstream text;
  text << in.rdbuf();
  return parse_dotenv(text.str(), file.string());
}

}  // namespace millrace::config_file
