#pragma once
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "producer/openai/asked.h"
#include "producer/openai/response_input.h"
#include "shared/contract/problem.h"
#include "shared/runtime/time.h"

namespace millrace::openai {

/// A response that is asked for. Its job has no input yet: `give_input` is for when what it refers
/// to is known.
struct ResponseRequest : Asked {
  InputItems input;
  std::optional<std::string> instructions;
  std::optional<std::string> previous;  ///< the response it goes on from
  bool background = false;
  bool store = true;
};

/// Reads the body of `POST /v1/responses`. Pure.
///
/// What only the model's server understands becomes the job's `params`, under the names that the
/// messages' API has for it; what is shown of the request with the response becomes the job's
/// `request`. A field that would change the answer and cannot be served is a problem that names
/// it; one that is `null` is left out.
std::expected<ResponseRequest, Problem> parse_response_request(std::string_view body, WallTime now);

/// The instructions, what was said before (messages with commas between them, or nothing), and the
/// input, which refers to nothing any more.
void give_input(ResponseRequest& request, std::string_view context);

/// How many of a job's messages are its instructions: they are not told to the next response.
std::size_t instruction_messages(const Job& job);

}  // namespace millrace::openai
