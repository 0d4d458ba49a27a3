// toml++ takes seconds to compile, so it is seen here alone.
#define TOML_ENABLE_FORMATTERS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <filesystem>
#include <stdexcept>

#include "shared/runtime/config_file.h"

namespace millrace::config_file {
namespace {

constexpr std::string_view prices_key = "model_prices";

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

/// `name=prompt/completion` for each, as MODEL_PRICES has it.
std::optional<std::string> prices_text(const toml::table& prices) {
  std::string joined;
  for (const auto& [name, node] : prices) {
    const toml::table* const price = node.as_table();
    if (!price || price->size() != 2) return std::nullopt;
    const auto prompt = (*price)["prompt"].node();
    const auto completion = (*price)["completion"].node();
    const auto read = prompt ? scalar_text(*prompt) : std::nullopt;
    const auto written = completion ? scalar_text(*completion) : std::nullopt;
    if (!read || !written) return std::nullopt;
    joined += fmt::format("{}{}={}/{}", joined.empty() ? "" : ",", name.str(), *read, *written);
  }
  return joined;
}

std::string expected(std::string_view key) {
  if (key == prices_key)
    return "must be a table of models, each such as \"gpt-4o\" = { prompt = 2.50, completion = 10 "
           "}";
  return "must be text, a number, true or false, or a list of these";
}

std::optional<std::string> setting_text(std::string_view key, const toml::node& node) {
  if (node.is_array()) return joined_text(*node.as_array());
  if (node.is_table() && key == prices_key) return prices_text(*node.as_table());
  return scalar_text(node);
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
    const auto text = setting_text(key.str(), node);
    if (!text)
      throw std::invalid_argument(fmt::format("{} line {}: {} {}", file.string(),
                                              node.source().begin.line, std::string_view(key.str()),
                                              expected(key.str())));
    settings[std::string(key.str())] = {*text, node.source().begin.line};
  }
  return settings;
}

}  // namespace millrace::config_file
