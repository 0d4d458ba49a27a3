#pragma once
#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

namespace millrace::cli {

/// Adds an option that is a number from `least` to `most` and nothing else: no other text, not
/// `nan`, not nothing. What is wrong is told with the option, what was given and what is allowed;
/// `or_else` says what happens without the option.
void add_number(CLI::App& words, const std::string& names, double least, double most,
                const std::string& or_else, std::function<void(double)> take);
/// The same for whole numbers.
void add_whole(CLI::App& words, const std::string& names, std::uint64_t least, std::uint64_t most,
               const std::string& or_else, std::function<void(std::uint64_t)> take);

}  // namespace millrace::cli
