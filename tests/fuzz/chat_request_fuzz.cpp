#include <cstdlib>

#include "producer/openai/chat_request.h"
#include "producer/openai/error_shape.h"
#include "shared/contract/any_json.h"
#include "shared/contract/envelope.h"

namespace millrace::openai {
namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

bool one_json_line(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const bool json = parse_any_json(parser, text, root) == simdjson::SUCCESS;
  return json && text.find_first_of("\r\n") == std::string::npos;
}

void check_request(ChatRequest request) {
  Job& job = request.job;
  require(one_json_line(job.input) && job.input.front() == '[');
  require(!job.model.empty());
  require(job.params.empty() || one_json_line(job.params));
  require(job.metadata.empty() || one_json_line(job.metadata));
  job.envelope = encode_envelope(job);
  require(one_json_line(job.envelope));
  const auto read = decode_envelope(job.envelope);
  const auto* again = std::get_if<Job>(&read);
  require(again && again->model == job.model && again->server_defaults);
  require(again->max_tokens == job.max_tokens && again->temperature == job.temperature);
  require(encode_envelope(*again) == job.envelope);
}

void check_problem(const Problem& problem) {
  require(problem.status == 400 || problem.status == 413);
  require(!problem.code.empty() && !problem.field.empty() && !problem.detail.empty());
  require(problem.detail.size() < 1000 && problem.field.size() < 20'000);
  require(one_json_line(error_json(problem)));
}

}  // namespace
}  // namespace millrace::openai

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const millrace::WallTime now{std::chrono::milliseconds(1'772'366'400'000)};
  auto request = millrace::openai::parse_chat_request(body, now);
  if (request)
    millrace::openai::check_request(std::move(*request));
  else
    millrace::openai::check_problem(request.error());
  return 0;
}
