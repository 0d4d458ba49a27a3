#include "ops/cli/settings_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

#include "shared/runtime/config_table.h"
#include "shared/runtime/nearest_word.h"

namespace millrace::cli {
namespace {

const Setting* setting_of(std::string_view flag) {
  const auto& table = settings();
  const auto found =
      std::ranges::find_if(table, [flag](const Setting& row) { return flag_of(row.key) == flag; });
  return found == table.end() ? nullptr : &*found;
}

constexpr std::string_view config_flag = "--config";

bool asks(const std::vector<std::string>& words, std::string_view one, std::string_view other) {
  return std::ranges::any_of(words,
                             [&](const std::string& word) { return word == one || word == other; });
}

void tell_settings(std::string_view command, std::string_view what) {
  std::string text = fmt::format(
      "usage: millrace {} [--setting value …]\n\n{}\n\n"
      "Each setting is a flag, an environment variable, and a key of the TOML file that --config\n"
      "names; `millrace config` shows those in force. An empty variable is as good as unset.\n\n",
      command, what);
  const auto row_of = [&text](std::string_view flag, std::string_view env, std::string_view value) {
    text += fmt::format("  {:<28}{:<28}{}\n", flag, env, value);
  };
  for (const auto& row : settings()) row_of(flag_of(row.key), row.env.front(), row.allowed);
  row_of("--kafka-…", "KAFKA_…", "any property of librdkafka");
  row_of(config_flag, "", "a TOML file");
  std::fputs(text.c_str(), stdout);
}

}  // namespace

std::string flag_of(std::string_view key) {
  std::string flag = "--" + std::string(key);
  std::ranges::replace(flag, '_', '-');
  return flag;
}

std::vector<std::string> take_settings(std::vector<std::string>& words) {
  std::vector<std::string> taken;
  std::vector<std::string> left;
  auto word = words.begin();
  for (; word != words.end() && *word != "--"; ++word) {
    const auto equals = word->find('=');
    const std::string flag = word->substr(0, equals);
    const Setting* const row = setting_of(flag);
    const bool of_librdkafka = flag.starts_with("--kafka-");
    if (!row && !of_librdkafka && flag != config_flag) {
      left.push_back(*word);
    } else if (equals != std::string::npos || (row && row->bare_flag)) {
      taken.push_back(*word);
    } else if (word + 1 != words.end() && !word[1].starts_with("--")) {
      taken.push_back(flag + "=" + word[1]);
      ++word;
    } else {
      throw std::invalid_argument(flag + " needs a value: " + (row ? row->allowed : "any text"));
    }
  }
  left.insert(left.end(), word, words.end());
  words = std::move(left);
  return taken;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const auto nearest = nearest_word(word, known);
  return nearest.empty() ? "" : "; did you mean " + std::string(nearest) + "?";
}

std::string version_line() {
  return "millrace " MILLRACE_VERSION;
}

bool told_about(std::string_view command, std::string_view what,
                const std::vector<std::string>& words) {
  if (asks(words, "--help", "-h")) {
    tell_settings(command, what);
    return true;
  }
  if (!asks(words, "--version", "-V")) return false;
  std::puts(version_line().c_str());
  return true;
}

}  // namespace millrace::cli
