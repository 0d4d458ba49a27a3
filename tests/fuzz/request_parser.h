#pragma once
#include <simdjson.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "shared/contract/any_json.h"
#include "shared/contract/envelope.h"
#include "shared/contract/problem.h"
#include "shared/runtime/time.h"

/// What every parser of a request's body promises: a job that survives its envelope, or a problem
/// that names a field. A program of this kind gives its parser, what more its request promises, and
/// how its problems are told.
namespace millrace::fuzz {

inline constexpr WallTime now{std::chrono::milliseconds(1'772'366'400'000)};

inline void require(bool promise) {
  if (!promise) std::abort();
}

inline bool one_json_line(const std::string& text) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const bool json = parse_any_json(parser, text, root) == simdjson::SUCCESS;
  return json && text.find_first_of("\r\n") == std::string::npos;
}

/// What the worker and the Store will see of it; the job as its envelope gives it back.
inline Job check_job(Job job) {
  require(one_json_line(job.input));
  for (const auto* members : {&job.params, &job.metadata, &job.request})
    require(members->empty() || (one_json_line(*members) && members->front() == '{'));
  require(job.created_at < job.deadline);
  require(!job.not_before || *job.not_before < job.deadline);
  job.envelope = encode_envelope(job);
  require(one_json_line(job.envelope));
  const auto read = decode_envelope(job.envelope);
  const auto* again = std::get_if<Job>(&read);
  require(again && again->session == job.session && again->model == job.model);
  require(again->max_tokens == job.max_tokens && again->temperature == job.temperature);
  require(again->deadline == job.deadline && again->not_before == job.not_before);
  require(again->server_defaults == job.server_defaults);
  require(encode_envelope(*again) == job.envelope);
  return *again;
}

inline void check_problem(const Problem& problem, const std::string& told) {
  require(problem.status == 400 || problem.status == 413);
  require(!problem.code.empty() && !problem.field.empty() && !problem.detail.empty());
  require(problem.detail.size() < 1000 && problem.field.size() < 20'000);
  require(one_json_line(told));
}

/// `parse` gives a request or a problem; `job_of` what of the request is a job.
template <class Parse, class JobOf, class Tell>
int check_body(const std::uint8_t* data, std::size_t size, Parse parse, JobOf job_of, Tell tell) {
  auto request = parse(std::string_view(reinterpret_cast<const char*>(data), size), now);
  if (request)
    check_job(job_of(std::move(*request)));
  else
    check_problem(request.error(), tell(request.error()));
  return 0;
}

}  // namespace millrace::fuzz
