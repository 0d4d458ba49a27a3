#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workers/llm/simulator_tools.h"

namespace millrace {

/// What `POST /v1/chat/completions` asks of the simulator.
struct SimRequest {
  std::string model;
  std::string prompt;    ///< every message but a trailing assistant's, role and text
  std::string question;  ///< the last user message
  std::string prefix;    ///< the trailing assistant message: the answer goes on after it
  bool stream = false;
  bool include_usage = false;
  std::optional<std::uint32_t> max_tokens;
  std::vector<std::string> stop;  ///< the answer ends before the first of these
  std::vector<SimTool> tools;     ///< that may be called; none once a tool has answered

  /// A rough count, as a tokenizer would find: four bytes each, at least one.
  std::uint32_t prompt_tokens() const;
};

/// An error in OpenAI's shape: `{"error":{"message","type","param","code"}}`.
struct SimRefusal {
  int status = 400;
  std::string message;
  std::string_view type = "invalid_request_error";
  std::string param;           ///< empty: null
  std::string_view code = {};  ///< empty: null
};
std::string to_json(const SimRefusal& refusal);

/// Reads a request as strictly as OpenAI does; members it does not know are ignored.
std::expected<SimRequest, SimRefusal> read_sim_request(std::string_view body);

}  // namespace millrace
