#include "producer/openai/chat_request.h"

#include "producer/openai/error_shape.h"
#include "tests/fuzz/request_parser.h"

namespace {

using namespace millrace;

Job job_of(openai::ChatRequest request) {
  fuzz::require(request.job.input.front() == '[' && !request.job.model.empty());
  return std::move(request.job);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::check_body(data, size, openai::parse_chat_request, job_of, openai::error_json);
}
