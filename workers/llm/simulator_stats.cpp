#include "workers/llm/simulator_stats.h"

#include <algorithm>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

constexpr std::size_t jobs_max = 100'000;
constexpr std::size_t job_name_bytes_max = 100;

void append_count(std::string& out, std::string_view name, std::uint64_t count) {
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
  append_number(out, count);
}

void append_job(std::string& out, const SimStats::PerJob& job) {
  out += '{';
  append_count(out, "requests", job.requests);
  append_count(out, "tokens_asked", job.tokens_asked);
  append_count(out, "tokens_sent", job.tokens_sent);
  out += R"(,"closed_early":)";
  if (job.closed_early)
    append_json_string(out, to_rfc3339(*job.closed_early));
  else
    out += "null";
  out += '}';
}

}  // namespace

SimStats::PerJob* SimStats::counts_of(const std::string& job) {
  const auto known = jobs_.find(job);
  if (known != jobs_.end()) return &known->second;
  if (job.empty() || job.size() > job_name_bytes_max || !valid_utf8(job)) return nullptr;
  return jobs_.size() < jobs_max ? &jobs_[job] : nullptr;
}

void SimStats::asked(const std::string& job, std::uint64_t tokens) {
  ++requests_;
  tokens_asked_ += tokens;
  auto* counts = counts_of(job);
  if (!counts) return;
  ++counts->requests;
  counts->tokens_asked += tokens;
}

void SimStats::sent(const std::string& job, std::uint64_t tokens) {
  tokens_sent_ += tokens;
  if (auto* counts = counts_of(job)) counts->tokens_sent += tokens;
}

void SimStats::client_left(const std::string& job, WallTime when) {
  ++client_closes_;
  if (auto* counts = counts_of(job)) counts->closed_early = when;
}

void SimStats::answer_begins(bool streamed) {
  in_flight_max_ = std::max(in_flight_max_, ++in_flight_);
  if (streamed) ++open_streams_;
}

void SimStats::answer_ends(bool streamed) {
  --in_flight_;
  if (streamed) --open_streams_;
}

void SimStats::reset() {
  requests_ = tokens_asked_ = tokens_sent_ = client_closes_ = 0;
  in_flight_max_ = in_flight_;
  faults_.clear();
  jobs_.clear();
}

std::string SimStats::json() const {
  std::string out = "{";
  append_count(out, "requests", requests_);
  append_count(out, "in_flight", in_flight_);
  append_count(out, "max_in_flight", in_flight_max_);
  append_count(out, "open", open_streams_);
  append_count(out, "tokens_asked", tokens_asked_);
  append_count(out, "tokens_sent", tokens_sent_);
  append_count(out, "client_closes", client_closes_);
  out += R"(,"faults":{)";
  for (const auto& [name, count] : faults_) append_count(out, name, count);
  out += R"(},"jobs":{)";
  for (const auto& [name, counts] : jobs_) {
    if (out.back() != '{') out += ',';
    append_json_string(out, name);
    out += ':';
    append_job(out, counts);
  }
  return out += "}}";
}

}  // namespace millrace
