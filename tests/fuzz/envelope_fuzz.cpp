#include <cstdlib>

#include "shared/contract/any_json.h"
#include "shared/contract/envelope.h"
#include "shared/contract/redriven.h"

namespace millrace {
namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

bool one_json_line(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const bool json = parse_any_json(parser, text, root) == simdjson::SUCCESS;
  return json && text.find_first_of("\r\n") == std::string_view::npos;
}

bool same_work(const Job& a, const Job& b) {
  return a.kind == b.kind && a.tenant == b.tenant && a.session == b.session && a.model == b.model &&
         a.input == b.input && a.max_tokens == b.max_tokens && a.temperature == b.temperature &&
         a.priority == b.priority;
}

/// What a worker read can be written and read again, and its work done again.
void check_job(const Job& job) {
  Job written = job;
  written.envelope = encode_envelope(job);
  require(one_json_line(written.envelope));
  const auto read = decode_envelope(written.envelope);
  const auto* again = std::get_if<Job>(&read);
  require(again && again->id == job.id && same_work(*again, job));
  require(again->deadline == job.deadline && again->not_before == job.not_before);
  require(again->metadata == job.metadata);

  const WallTime now{std::chrono::milliseconds(1'772'366'400'000)};
  const Job anew = redriven(job, redriven_id(job), now);
  require(anew.created_at == now && same_work(anew, job));
}

}  // namespace
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view value(reinterpret_cast<const char*>(data), size);
  const auto read = millrace::decode_envelope(value);
  if (const auto* job = std::get_if<millrace::Job>(&read))
    millrace::check_job(*job);
  else if (const auto* malformed = std::get_if<millrace::MalformedEnvelope>(&read))
    millrace::require(!malformed->reason.empty());
  return 0;
}
