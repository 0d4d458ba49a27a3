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

std::optional<char> escaped(char quote, char c) {
  if (c == quote || c == '\\') return c;
  if (quote == '\'') return std::nullopt;
  if (c == 'n') return '\n';
  if (c == 'r') return '\r';
  if (c == 't') return '\t';
  return std::nullopt;
}

/// Nothing where the quote is not closed, or more than a comment follows it.
std::optional<std::string> quoted_value(std::string_view value) {
  const char quote = value.front();
  std::string text;
  std::size_t at = 1;
  for (; at < value.size() && value[at] != quote; ++at) {
    const bool escape = value[at] == '\\' && at + 1 < value.size();
    const auto meant = escape ? escaped(quote, value[at + 1]) : std::nullopt;
    text += meant.value_or(value[at]);
    at += meant ? 1 : 0;
  }
  if (at >= value.size()) return std::nullopt;
  const auto rest = trimmed(value.substr(at + 1));
  if (!rest.empty() && rest.front() != '#') return std::nullopt;
  return text;
}

std::string bare_value(std::string_view value) {
  // An unquoted `#` begins a comment only after a blank: passwords and URLs may hold one.
  for (std::size_t at = 0; at < value.size(); ++at) {
    const bool after_blank = at == 0 || value[at - 1] == ' ' || value[at - 1] == '\t';
    if (value[at] == '#' && after_blank) return std::string(trimmed(value.substr(0, at)));
  }
  return std::string(value);
}

std::optional<std::string> read_value(std::string_view value) {
  const bool quoted = value.starts_with('"') || value.starts_with('\'');
  return quoted ? quoted_value(value) : bare_value(value);
}

/// The line itself is not shown: it may be half a secret.
[[noreturn]] void refuse_line(const std::string& origin, std::size_t line, std::string_view why) {
  throw std::invalid_argument(fmt::format("{} line {}: {}", origin, line, why));
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
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Settings settings;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    auto line = trimmed(text.substr(0, end));
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("export ") || line.starts_with("export\t")) line = trimmed(line.substr(7));
    const auto equals = line.find('=');
    const auto name = trimmed(line.substr(0, equals));
    if (equals == line.npos || !variable_name(name))
      refuse_line(origin, number, "expected NAME=value");
    auto value = read_value(trimmed(line.substr(equals + 1)));
    if (!value)
      refuse_line(origin, number,
                  fmt::format("the quotes around the value of {} must close on its line, with "
                              "nothing but a comment behind them",
                              name));
    settings[std::string(name)] = {std::move(*value), number};
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
