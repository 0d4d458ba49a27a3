#include "ops/cli/number_option.h"

#include <fmt/format.h>

#include <optional>
#include <string_view>

#include "shared/runtime/config_value.h"

namespace millrace::cli {
namespace {

template <class N>
void add(CLI::App& words, const std::string& names, const std::string& allowed,
         const std::string& or_else, std::optional<N> (*read)(std::string_view), N least, N most,
         std::function<void(N)> take) {
  const std::string name = names.substr(names.rfind(',') + 1);
  const auto take_text = [=](const std::string& text) {
    const auto number = read(text);
    if (number && *number >= least && *number <= most) return take(*number);
    throw CLI::ValidationError(
        fmt::format("{} is \"{}\"; allowed: {}; without it: {}", name, text, allowed, or_else));
  };
  words.add_option_function<std::string>(names, take_text, "Without it: " + or_else)
      ->type_name(allowed);
}

}  // namespace

void add_number(CLI::App& words, const std::string& names, double least, double most,
                const std::string& or_else, std::function<void(double)> take) {
  const std::string allowed =
      "a number from " + config_value::to_text(least) + " to " + config_value::to_text(most);
  add<double>(words, names, allowed, or_else, config_value::number, least, most, std::move(take));
}

void add_whole(CLI::App& words, const std::string& names, std::uint64_t least, std::uint64_t most,
               const std::string& or_else, std::function<void(std::uint64_t)> take) {
  const auto allowed = fmt::format("a whole number from {} to {}", least, most);
  add<std::uint64_t>(words, names, allowed, or_else, config_value::whole_number, least, most,
                     std::move(take));
}

}  // namespace millrace::cli
