// toml++ takes seconds to compile, so it is seen here alone.
#define TOML_ENABLE_FORMATTERS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <filesystem>
#include <stdexcept>

#include "shared/runtime/config_file.h"

namespace millrace::config_file {
namespace {

std::optional<std::string> scalar_text(const toml::node& node) {
  if (auto text = node.value_exact<std::string>()) return text;
  if (const auto truth = node.value_exact<bool>()) return *truth ? "true" : "false";
  if (const auto whole = node.value_exact<std::int64_t>()) return std::to_string(*whole);
  if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
  return std::nullopt;
}

std::optional<std::string> joined_text(const toml::array& list) {
  std::string joined;
  for (const toml::node& node : list) {
    const auto text = scalar_text(node);
    if (!text) return std::nullopt;
    if (!joined.empty()) joined += ',';
    joined += *text;
  }
  return joined;
}

}  // namespace

Settings read_toml(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file))
    throw std::invalid_argument(fmt::format("--config {}: there is no such file", file.string()));
  toml::table table;
  try {
    table = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    throw std::invalid_argument(fmt::format("{} line {}: {}", file.string(),
                                            error.source().begin.line, error.description()));
  }
  Settings settings;
  for (const auto& [key, node] : table) {
    const auto text = node.is_array() ? joined_text(*node.as_array()) : scalar_text(node);
    if (!text) {
      throw std::invalid_argument(
          fmt::format("{} line {}: {} must be text, a number, true or false, or a list of these",
                      file.string(), node.source().begin.line, std::string_view(key.str())));
    }
    settings[std::string(key.str())] = *text;
  }
  return settings;
}

}  // namespace millrace::config_file
