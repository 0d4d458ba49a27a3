#include "ops/cli/command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "ops/cli/out_lost.h"
#include "ops/cli/settings_words.h"
#include "shared/runtime/config_table.h"
#include "shared/runtime/log.h"

namespace millrace::cli {
namespace {

Screen screen_of(bool json, const Config& config) {
  return {stdout,
          stderr,
          {.json = json,
           .colours = config.no_color.empty(),
           .out_terminal = isatty(STDOUT_FILENO) == 1,
           .err_terminal = isatty(STDERR_FILENO) == 1}};
}

/// The nearest of the command's own options and the settings.
std::string meant_option(const CLI::App& words, const std::string& given) {
  std::vector<std::string> flags;
  for (const auto* option : words.get_options())
    for (const auto& name : option->get_lnames()) flags.push_back("--" + name);
  for (const auto& row : settings()) flags.push_back(flag_of(row.key));
  return did_you_mean(given.substr(0, given.find('=')),
                      std::vector<std::string_view>(flags.begin(), flags.end()));
}

std::string what_is_wrong(const CLI::App& words, const CLI::ParseError& wrong) {
  const auto left = words.remaining();
  const auto option = std::ranges::find_if(
      left, [](const std::string& word) { return word.size() > 1 && word.starts_with('-'); });
  if (option != left.end()) return "unknown option " + *option + meant_option(words, *option);
  const bool too_many = dynamic_cast<const CLI::ExtrasError*>(&wrong) && !left.empty();
  if (!too_many) return wrong.what();
  return "one word too many: " + left.front() + " (quote what is several words)";
}

/// `--name=` as `--name` and an empty word: CLI11 takes the first for an option without its value.
void part_from_empty_values(std::vector<std::string>& words) {
  for (auto word = words.begin(); word != words.end() && *word != "--"; ++word) {
    if (!word->starts_with("--") || !word->ends_with('=')) continue;
    word->pop_back();
    word = words.insert(word + 1, "");
  }
}

}  // namespace

Command::Command(std::string name, std::string what)
    : words_(std::move(what), "millrace " + std::move(name)) {
  words_.footer(std::string("Every setting of `millrace config` is an option too.\n") + exit_codes);
  words_.set_version_flag("--version", version_line());
  words_.add_flag("--json", json_, "JSON on stdout, one value a line, and nothing else");
}

int Command::run(std::vector<std::string> given, const std::function<Exit(Given&)>& act) {
  auto settings = take_settings(given);
  // Listed, for everybody needs it; taken with the other settings.
  words_.add_option("--url", "The edge to talk to (MILLRACE_URL), http://127.0.0.1:8080");
  try {
    part_from_empty_values(given);
    std::ranges::reverse(given);  // CLI11 takes them from the end
    words_.parse(std::move(given));
  } catch (const CLI::Success& told) {
    return words_.exit(told);
  } catch (const CLI::ParseError& wrong) {
    const std::string why = what_is_wrong(words_, wrong);
    std::fprintf(stderr, "millrace: %s; `%s --help` tells more\n", why.c_str(),
                 words_.get_name().c_str());
    return code(Exit::usage);
  }
  auto config = load_config(settings).config;
  // What goes wrong is told by the command itself.
  log::open(config.log_level == "debug" ? log::Level::debug : log::Level::error, false);
  auto screen = screen_of(json_, config);
  Given all{std::move(config), std::move(screen)};
  try {
    return code(act(all));
  } catch (const OutLost& lost) {
    return exit_for(lost);
  }
}

}  // namespace millrace::cli
