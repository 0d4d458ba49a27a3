#pragma once
#include <cstdint>
#include <cstdio>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace millrace::cli {

/// A job as the words ask for it; what is left out is left to the edge.
struct JobWords {
  std::string prompt;
  std::string session{};
  std::string model{};
  std::string priority{};
  std::optional<std::uint64_t> max_tokens{};
  std::optional<double> temperature{};
  std::optional<double> deadline_s{};
  std::vector<std::string> metadata{};  ///< `name=value`; a value that is JSON is taken as such
};

/// All that is in a file, or what is wrong: it cannot be read, or is larger than what an edge takes
/// (limits::body_bytes_max), of which no more is read than shows it.
std::expected<std::string, std::string> prompt_from(std::FILE* file);

/// The body of `POST /v1/jobs`, at most limits::body_bytes_max, or what is wrong with the words.
std::expected<std::string, std::string> job_body(const JobWords& words);

}  // namespace millrace::cli
