#include "producer/ingress/job_request.h"

#include <functional>

#include "tests/fuzz/request_parser.h"

namespace {

std::string told(const millrace::Problem& problem) {
  return millrace::to_json(problem);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return millrace::fuzz::check_body(data, size, millrace::parse_job_request, std::identity(), told);
}
