#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// The files settings come from, as names and texts; what they mean is config.cpp's affair.
/// Errors are std::invalid_argument with the file, the line and what was expected.
namespace millrace::config_file {

using Settings = std::map<std::string, std::string>;

/// The nearest `.env`, from this folder upwards.
std::optional<std::filesystem::path> nearest_dotenv(std::filesystem::path folder);

/// Lines `NAME=value`: `export` before the name, quotes around the value, `#` for comments.
/// Nothing is expanded. `origin` is for the message.
Settings parse_dotenv(std::string_view text, const std::string& origin);
Settings read_dotenv(const std::filesystem::path& file);

/// Flat TOML: text, numbers, truth values, and lists of these (joined by commas); but
/// `model_prices` may be a table, which is joined to what the variable of that name takes.
Settings read_toml(const std::filesystem::path& file);

}  // namespace millrace::config_file
