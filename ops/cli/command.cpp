#include "ops/cli/command.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "shared/runtime/config_table.h"

namespace millrace::cli {
namespace {

constexpr const char* unlisted = "";

std::string flag_of(std::string_view key) {
  std::string flag = "--" + std::string(key);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

Screen screen_of(bool json, const Config& config) {
  return {stdout,
          stderr,
          {.json = json,
           .colours = config.no_color.empty(),
           .out_terminal = isatty(STDOUT_FILENO) == 1,
           .err_terminal = isatty(STDERR_FILENO) == 1}};
}

}  // namespace

Command::Command(std::string name, std::string what)
    : words_(std::move(what), "millrace " + std::move(name)) {
  words_.footer(exit_codes);
  words_.add_flag("--json", json_, "JSON on stdout, one value a line, and nothing else");
}

int Command::run(std::vector<std::string> given, const std::function<Exit(Given&)>& act) {
  words_.add_option("--url", "The edge to talk to (MILLRACE_URL), http://127.0.0.1:8080")
      ->each([this](const std::string& value) { settings_.push_back("--url=" + value); });
  std::vector<std::string> keys{"config"};
  for (const auto& setting : settings()) keys.emplace_back(setting.key);
  for (const auto& key : keys) {
    const std::string flag = flag_of(key);
    if (words_.get_option_no_throw(flag)) continue;
    words_.add_option(flag)->group(unlisted)->each(
        [this, flag](const std::string& value) { settings_.push_back(flag + "=" + value); });
  }
  try {
    std::ranges::reverse(given);  // CLI11 takes them from the end
    words_.parse(std::move(given));
  } catch (const CLI::ParseError& wrong) {
    return words_.exit(wrong) == 0 ? 0 : code(Exit::usage);
  }
  auto config = load_config(settings_).config;
  auto screen = screen_of(json_, config);
  Given all{std::move(config), std::move(screen)};
  return code(act(all));
}

}  // namespace millrace::cli
