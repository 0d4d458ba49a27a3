#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

/// Takes out of `words` those that give a setting (`--key value`, `--key=value`), up to a `--`;
/// as `load_config` reads them. Throws std::invalid_argument for one without its value.
std::vector<std::string> take_settings(std::vector<std::string>& words);

/// The flag of a setting: `--kafka-brokers` of `kafka_brokers`.
std::string flag_of(std::string_view key);

/// `; did you mean X?` of the nearest there is, or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known);

/// True where the words ask for help (`--help`, `-h`) or the version; it is told on stdout then.
/// `what` is a sentence. For a command that takes settings alone: nothing is read but its words.
bool told_about(std::string_view command, std::string_view what,
                const std::vector<std::string>& words);

/// `millrace 1.2.3`.
std::string version_line();

}  // namespace millrace::cli
