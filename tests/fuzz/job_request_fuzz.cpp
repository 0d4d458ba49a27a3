#include <cstdlib>

#include "producer/ingress/job_request.h"
#include "shared/contract/any_json.h"
#include "shared/contract/envelope.h"
#include "shared/runtime/json_text.h"

namespace millrace {
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

void check_job(Job job) {
  require(one_json_line(job.input));
  require(job.metadata.empty() || one_json_line(job.metadata));
  require(job.created_at < job.deadline);
  require(!job.not_before || *job.not_before < job.deadline);
  job.envelope = encode_envelope(job);
  require(one_json_line(job.envelope));
  const auto read = decode_envelope(job.envelope);
  const auto* again = std::get_if<Job>(&read);
  require(again && again->session == job.session && again->model == job.model);
  require(again->max_tokens == job.max_tokens && again->temperature == job.temperature);
  require(again->deadline == job.deadline && again->not_before == job.not_before);
}

void check_problem(const Problem& problem) {
  require(problem.status == 400 || problem.status == 413);
  require(!problem.code.empty() && !problem.field.empty() && !problem.detail.empty());
  require(problem.detail.size() < 1000 && problem.field.size() < 20'000);
  require(one_json_line(to_json(problem)));
}

}  // namespace
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const millrace::WallTime now{std::chrono::milliseconds(1'772'366'400'000)};
  auto job = millrace::parse_job_request(body, now);
  if (job)
    millrace::check_job(std::move(*job));
  else
    millrace::check_problem(job.error());
  return 0;
}
