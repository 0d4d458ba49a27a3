#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// Lines that mean nothing here, and why; they are not shown: they may be half a secret.
struct Unread {
  std::size_t first = 0;  ///< lines, from 1
  std::size_t last = 0;
  std::string name;  ///< empty: none can be told
  std::string why;
  bool operator==(const Unread&) const = default;
};
struct Dotenv {
  Settings settings;
  std::vector<Unread> unread;
};

/// The nearest file `.env`, from this folder upwards. What has that name and is no file (a folder
/// of Python's, a link that leads nowhere) is passed by, with a sentence in `doubts`.
std::optional<std::filesystem::path> nearest_dotenv(std::filesystem::path folder,
                                                    std::vector<std::string>& doubts);

/// Lines `NAME=value`: `export` before the name, quotes around the value, `#` for comments, a byte
/// order mark in front of all, line ends of Windows. Of a name that comes twice the last line
/// counts. In double quotes `\n`, `\r`, `\t`, `\"` and `\\` mean what they mean in C, in single
/// ones `\'` and `\\`, as python-dotenv has it, and a value in quotes goes on over line ends;
/// nothing is expanded. Of quotes that nothing closes the first line alone is unread.
Dotenv parse_dotenv(std::string_view text);
/// Throws where the file cannot be read.
Dotenv read_dotenv(const std::filesystem::path& file);

/// Flat TOML: text, numbers, truth values, and lists of these (joined by commas); but
/// `model_prices` may be a table, which is joined to what the variable of that name takes.
Settings read_toml(const std::filesystem::path& file);

}  // namespace millrace::config_file
