#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// The files settings come from, as names and texts; what they mean is config.cpp's affair.
/// Errors are std::invalid_argument with the file, the line and what was expected.
namespace millrace::config_file {

/// What a file says of one name, and where.
struct Said {
  std::string text;
  std::size_t line = 0;
  bool operator==(const Said&) const = default;
};
using Settings = std::map<std::string, Said>;

/// The nearest `.env`, from this folder upwards.
std::optional<std::filesystem::path> nearest_dotenv(std::filesystem::path folder);

/// Lines `NAME=value`: `export` before the name, quotes around the value, `#` for comments, a byte
/// order mark in front of all, line ends of Windows. Of a name that comes twice the last line
/// counts. In double quotes `\n`, `\r`, `\t`, `\"` and `\\` mean what they mean in C, in single
/// ones `\'` and `\\`, as python-dotenv has it; nothing is expanded, and a value ends on its line.
/// `origin` is for the message.
Settings parse_dotenv(std::string_view text, const std::string& origin);
Settings read_dotenv(const std::filesystem::path& file);

/// Flat TOML: text, numbers, truth values, and lists of these (joined by commas); but
/// `model_prices` may be a table, which is joined to what the variable of that name takes.
Settings read_toml(const std::filesystem::path& file);

}  // namespace millrace::config_file
