#include "shared/runtime/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "shared/runtime/config_file.h"
#include "shared/runtime/config_table.h"
#include "shared/runtime/config_value.h"
#include "shared/runtime/json_text.h"
#include "shared/runtime/nearest_word.h"

namespace millrace {
namespace {

namespace value = config_value;

/// A setting that somebody gave, and where.
struct Given {
  std::string text;
  std::string origin;
};
using GivenSettings = std::map<std::string, Given>;

const Setting* find_setting(std::string_view key) {
  const auto& table = settings();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [key](const Setting& row) { return row.key == key; });
  return found == table.end() ? nullptr : &*found;
}

constexpr std::string_view kafka_prefix = "kafka_";

/// Any `kafka_…` that is no setting of ours is a property of librdkafka, which refuses what it
/// does not know.
bool kafka_property(std::string_view key) {
  return key.starts_with(kafka_prefix) && key.size() > kafka_prefix.size() && !find_setting(key);
}

std::string replaced(std::string_view text, char from, char to) {
  std::string out(text);
  std::replace(out.begin(), out.end(), from, to);
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = 'A' <= c && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = 'a' <= c && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

/// ` Did you mean …?` in front of where all are listed.
std::string what_there_is(std::string_view nearest) {
  const std::string meant = nearest.empty() ? "" : fmt::format(" did you mean {}?", nearest);
  return meant + " `millrace config` lists what there is";
}

std::string nearest_key(std::string_view key) {
  std::vector<std::string_view> keys;
  for (const Setting& row : settings()) keys.push_back(row.key);
  return std::string(nearest_word(key, keys));
}

std::string_view nearest_variable(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Setting& row : settings()) names.insert(names.end(), row.env.begin(), row.env.end());
  return nearest_word(name, names);
}

bool known_variable(const std::string& name) {
  for (const Setting& row : settings())
    if (std::ranges::find(row.env, name) != row.env.end()) return true;
  return name.starts_with("KAFKA_");
}

void take_toml(GivenSettings& given, const std::string& file) {
  for (auto& [key, said] : config_file::read_toml(file)) {
    const std::string place = fmt::format("{} line {}", file, said.line);
    if (!find_setting(key) && !kafka_property(key))
      throw std::invalid_argument(
          fmt::format("{}: unknown key {};{}", place, key, what_there_is(nearest_key(key))));
    given[key] = {std::move(said.text), place};
  }
}

/// Refuses what is named like ours and is not; doubts what is nearly named like ours.
void look_at_strangers(const config_file::Settings& variables, const std::string& file,
                       std::vector<std::string>& doubts) {
  constexpr std::size_t short_name = 6;  // any short word is near another
  for (const auto& [name, said] : variables) {
    if (known_variable(name)) continue;
    const auto nearest = nearest_variable(name);
    if (name.starts_with("MILLRACE_"))
      throw std::invalid_argument(fmt::format("{} line {}: unknown setting {};{}", file, said.line,
                                              name, what_there_is(nearest)));
    if (nearest.empty() || name.size() < short_name) continue;
    doubts.push_back(fmt::format("{} line {}: {} is no setting; did you mean {}?", file, said.line,
                                 name, nearest));
  }
}

/// A line that cannot be read stops the start only where it is meant for us.
void look_at_unread(const std::vector<config_file::Unread>& unread, const std::string& file,
                    std::vector<std::string>& doubts) {
  for (const auto& one : unread) {
    const std::string lines = one.first == one.last
                                  ? fmt::format("line {}", one.first)
                                  : fmt::format("lines {} to {}", one.first, one.last);
    auto told = fmt::format("{} {}: {}", file, lines, one.why);
    if (known_variable(one.name) || one.name.starts_with("MILLRACE_"))
      throw std::invalid_argument(std::move(told));
    doubts.push_back(std::move(told) + "; nothing is read there");
  }
}

/// Variables that are not ours are none of our business; an empty one is as good as unset, and
/// `empty` tells of it.
using Origin = std::function<std::string(const std::string& name, std::size_t line)>;

void take_environment(GivenSettings& given, GivenSettings& empty,
                      const config_file::Settings& variables, const Origin& origin) {
  for (const Setting& row : settings()) {
    for (const auto name : row.env) {
      const auto found = variables.find(std::string(name));
      if (found == variables.end()) continue;
      const auto place = origin(found->first, found->second.line);
      if (found->second.text.empty()) {
        empty[std::string(row.key)] = {"", place};
        continue;
      }
      given[std::string(row.key)] = {found->second.text, place};
      break;
    }
  }
  for (const auto& [name, said] : variables) {
    const std::string key = lower_case(name);
    if (name.starts_with("KAFKA_") && kafka_property(key) && !said.text.empty())
      given[key] = {said.text, origin(name, said.line)};
  }
}

config_file::Settings process_environment() {
  config_file::Settings variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line(*entry);
    const auto equals = line.find('=');
    if (equals != line.npos)
      variables.emplace(line.substr(0, equals),
                        config_file::Said{std::string(line.substr(equals + 1)), 0});
  }
  return variables;
}

struct Flags {
  GivenSettings given;
  std::string config_file;
};

Flags read_flags(const std::vector<std::string>& words) {
  Flags flags;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (!word.starts_with("--") || word.size() == 2) {
      throw std::invalid_argument(
          fmt::format("unexpected argument {}; settings are given as --key value", word));
    }
    const auto equals = word.find('=');
    const std::string name(word.substr(0, equals));
    const std::string key = replaced(name.substr(2), '-', '_');
    const Setting* const row = find_setting(key);
    if (!row && !kafka_property(key) && key != "config") {
      auto nearest = replaced(nearest_key(key), '_', '-');
      if (!nearest.empty()) nearest.insert(0, "--");
      throw std::invalid_argument(fmt::format("unknown flag {};{}", name, what_there_is(nearest)));
    }
    std::string text;
    if (equals != word.npos) {
      text = word.substr(equals + 1);
    } else if (row && row->bare_flag) {
      text = "true";
    } else if (i + 1 < words.size() && !words[i + 1].starts_with("--")) {
      text = words[++i];
    } else {
      throw std::invalid_argument(
          fmt::format("{} needs a value: {}", name, row ? row->allowed : "any text"));
    }
    if (key == "config") {
      flags.config_file = text;
    } else {
      flags.given[key] = {std::move(text), "flag " + name};
    }
  }
  return flags;
}

bool secret_property(std::string_view name) {
  return name.find("password") != name.npos || name.find("secret") != name.npos ||
         name.find(".key") != name.npos || name.find("jaas") != name.npos;
}

/// What `millrace config` and error messages may show of a setting that is in the config.
std::string shown(const Setting& row, const Config& config) {
  const std::string text = row.show(config);
  return value::without_password(text);
}

/// What no setting may hold: bytes that are no text, and what nobody sees who looks at it.
void refuse_unprintable(std::string_view key, const Given& given, bool many_lines) {
  const auto refuse = [&](std::string_view what) {
    throw std::invalid_argument(fmt::format("{} ({}) {}", key, given.origin, what));
  };
  if (!valid_utf8(given.text)) refuse("is no valid UTF-8");
  const auto unseen = [many_lines](char c) {
    const bool white = c == '\n' || c == '\r' || c == '\t';
    return (static_cast<unsigned char>(c) < ' ' || c == '\x7f') && !(white && many_lines);
  };
  if (std::ranges::any_of(given.text, unseen))
    refuse(many_lines ? "has a control character in it"
                      : "has a line end or another control character in it");
}

void apply(const Setting& row, const Given& given, Config& config) {
  refuse_unprintable(row.key, given, row.many_lines);
  if (row.read(config, given.text)) return;
  const bool hidden = row.show(config) == value::mask;
  throw std::invalid_argument(fmt::format(
      "{} ({}) is \"{}\"; allowed: {}", row.key, given.origin,
      hidden ? std::string(value::mask) : value::without_password(given.text), row.allowed));
}

}  // namespace

LoadedConfig load_config(const std::vector<std::string>& flags) {
  const Flags from_flags = read_flags(flags);
  LoadedConfig loaded;
  GivenSettings given, empty;
  if (!from_flags.config_file.empty()) take_toml(given, from_flags.config_file);
  const auto here = std::filesystem::current_path();
  if (const auto file = config_file::nearest_dotenv(here, loaded.doubts)) {
    const auto [variables, unread] = config_file::read_dotenv(*file);
    look_at_unread(unread, file->string(), loaded.doubts);
    look_at_strangers(variables, file->string(), loaded.doubts);
    take_environment(given, empty, variables, [&](const std::string& name, std::size_t line) {
      return fmt::format(".env {} ({} line {})", name, file->string(), line);
    });
  }
  take_environment(given, empty, process_environment(),
                   [](const std::string& name, std::size_t) { return "env " + name; });
  for (const auto& [key, from_flag] : from_flags.given) given[key] = from_flag;

  Config& config = loaded.config;
  const auto origin = [&given, &empty](std::string_view key) -> std::string {
    if (const auto found = given.find(std::string(key)); found != given.end())
      return found->second.origin;
    const auto left = empty.find(std::string(key));
    return left == empty.end() ? "default" : "default, for " + left->second.origin + " is empty";
  };
  for (const Setting& row : settings()) {
    const auto found = given.find(std::string(row.key));
    if (found != given.end()) apply(row, found->second, config);
  }
  if (config.database_url.empty()) config.database_url = config.data + "/millrace.db";

  for (const Setting& row : settings()) {
    loaded.lines.push_back({std::string(row.key), std::string(row.env.front()), shown(row, config),
                            origin(row.key), row.used});
  }
  for (const auto& [key, setting] : given) {
    if (!kafka_property(key)) continue;
    refuse_unprintable(key, setting, true);  // certificates have lines
    const std::string name = replaced(key.substr(kafka_prefix.size()), '_', '.');
    config.kafka_properties[name] = setting.text;
    loaded.lines.push_back({key, upper_case(key),
                            secret_property(name) ? std::string(value::mask) : setting.text,
                            setting.origin});
  }
  return loaded;
}

}  // namespace millrace
