#pragma once
#include <cstdint>
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

/// The body of `POST /v1/jobs`, or what is wrong with the words.
std::expected<std::string, std::string> job_body(const JobWords& words);

}  // namespace millrace::cli
