#include "shared/runtime/config_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
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

/// A value and how much of the text it takes, to the end of the line it ends on.
struct Value {
  std::string text;
  std::size_t bytes = 0;
};

std::size_t line_end(std::string_view text, std::size_t from) {
  return std::min(text.find('\n', from), text.size());
}

/// Nothing where the quote is not closed, or more than a comment follows it.
std::optional<Value> quoted_value(std::string_view rest) {
  const char quote = rest.front();
  std::string text;
  std::size_t at = 1;
  for (; at < rest.size() && rest[at] != quote; ++at) {
    const bool escape = rest[at] == '\\' && at + 1 < rest.size();
    const auto meant = escape ? escaped(quote, rest[at + 1]) : std::nullopt;
    const bool windows = rest.substr(at).starts_with("\r\n");
    if (!windows) text += meant.value_or(rest[at]);
    at += meant ? 1 : 0;
  }
  if (at >= rest.size()) return std::nullopt;
  const auto end = line_end(rest, at);
  const auto behind = trimmed(rest.substr(at + 1, end - at - 1));
  if (!behind.empty() && behind.front() != '#') return std::nullopt;
  return Value{std::move(text), end};
}

std::string bare_value(std::string_view value) {
  // An unquoted `#` begins a comment only after a blank: passwords and URLs may hold one.
  for (std::size_t at = 0; at < value.size(); ++at) {
    const bool after_blank = at == 0 || value[at - 1] == ' ' || value[at - 1] == '\t';
    if (value[at] == '#' && after_blank) return std::string(trimmed(value.substr(0, at)));
  }
  return std::string(value);
}

/// `rest` is all that follows the `=`.
std::optional<Value> read_value(std::string_view rest) {
  const auto first = std::min(rest.find_first_not_of(" \t"), rest.size());
  const auto value = rest.substr(first);
  if (!value.starts_with('"') && !value.starts_with('\'')) {
    const auto end = line_end(value, 0);
    return Value{bare_value(trimmed(value.substr(0, end))), first + end};
  }
  auto quoted = quoted_value(value);
  if (quoted) quoted->bytes += first;
  return quoted;
}

/// Lines without a name, one below the other, are told as one.
void leave_unread(std::vector<Unread>& unread, std::size_t line, std::string_view name,
                  std::string why) {
  if (name.empty() && !unread.empty() && unread.back().name.empty() &&
      unread.back().last + 1 == line)
    unread.back().last = line;
  else
    unread.push_back({line, line, std::string(name), std::move(why)});
}

/// What stands in front of the `=`.
std::string_view name_of(std::string_view line) {
  line = trimmed(line.substr(0, line.find('=')));
  if (line.starts_with("export ") || line.starts_with("export\t")) line = trimmed(line.substr(7));
  return line;
}

/// Reads what begins with the first line of the text; where the line is that it ends on.
std::size_t read_entry(std::string_view text, std::size_t number, Dotenv& read) {
  const auto end = line_end(text, 0);
  const auto line = trimmed(text.substr(0, end));
  if (line.empty() || line.front() == '#') return end;
  const auto name = name_of(line);
  if (!line.contains('=') || !variable_name(name)) {
    leave_unread(read.unread, number, {}, "expected NAME=value");
    return end;
  }
  const auto value_at = text.find('=') + 1;
  auto value = read_value(text.substr(value_at));
  if (!value) {
    leave_unread(read.unread, number, name,
                 fmt::format("the quotes around the value of {} must close, with nothing but a "
                             "comment behind them",
                             name));
    return end;
  }
  read.settings[std::string(name)] = {std::move(value->text), number};
  return value_at + value->bytes;
}

}  // namespace

std::optional<std::filesystem::path> nearest_dotenv(std::filesystem::path folder,
                                                    std::vector<std::string>& doubts) {
  namespace fs = std::filesystem;
  for (;; folder = folder.parent_path()) {
    const auto file = folder / ".env";
    std::error_code failed;
    if (fs::symlink_status(file, failed).type() != fs::file_type::not_found) {
      const auto kind = fs::status(file, failed).type();
      if (kind == fs::file_type::regular) return file;
      const std::string why = kind == fs::file_type::directory   ? "it is a folder"
                              : kind == fs::file_type::not_found ? "it is a link to nothing"
                              : failed                           ? failed.message()
                                                                 : "it is no plain file";
      doubts.push_back(fmt::format("{} is not read: {}", file.string(), why));
    }
    if (folder == folder.parent_path()) return std::nullopt;
  }
}

Dotenv parse_dotenv(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  Dotenv read;
  for (std::size_t number = 1; !text.empty();) {
    const auto end = read_entry(text, number, read);
    number += static_cast<std::size_t>(std::ranges::count(text.substr(0, end), '\n')) + 1;
    text = end == text.size() ? std::string_view() : text.substr(end + 1);
  }
  return read;
}

Dotenv read_dotenv(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  if (in && in.peek() != in.eof()) text << in.rdbuf();
  if (!in.is_open() || in.bad())
    throw std::invalid_argument(
        fmt::format("{} cannot be read: {}", file.string(), std::strerror(errno)));
  return parse_dotenv(text.str());
}

}  // namespace millrace::config_file
