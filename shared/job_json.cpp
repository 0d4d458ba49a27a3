#include "shared/job_json.h"

#include "shared/contract/envelope.h"
#include "shared/runtime/json_members.h"
#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

void append_result(std::string& out, const Outcome& outcome) {
  out += R"(,"result":{"text":)";
  append_json_string(out, outcome.text);
  append_member_or_null(out, "finish_reason", outcome.finish_reason);
  append_member_or_null(out, "model", outcome.model);
  if (!outcome.tool_calls.empty()) {
    out += R"(,"tool_calls":)";
    append_tool_calls(out, outcome.tool_calls);
  }
  append_members(out, outcome.asides);
  out += '}';
}

void append_error(std::string& out, const Outcome& outcome) {
  out += R"(,"error":{"code":)";
  append_json_string(out, outcome.error_code);
  out += R"(,"message":)";
  append_json_string(out, outcome.error_message);
  out += outcome.retryable ? R"(,"retryable":true})" : R"(,"retryable":false})";
}

/// What was said before a job failed or was cancelled is worth showing too.
bool has_result(const StoredJob& job) {
  return job.outcome && (job.state == JobState::succeeded || !job.outcome->text.empty());
}

void append_outcome(std::string& out, const StoredJob& job, const Job* accepted, bool with_result) {
  if (accepted) {
    append_member_json(out, "metadata", accepted->metadata);
    if (with_result && has_result(job))
      append_result(out, *job.outcome);
    else
      out += R"(,"result":null)";
  }
  append_member_json(out, "usage", job.outcome ? job.outcome->usage : "");
  if (job.outcome && job.state == JobState::failed)
    append_error(out, *job.outcome);
  else
    out += R"(,"error":null)";
}

void append_links(std::string& out, std::string_view path, const JobLinks& links) {
  out.append(R"(,"links":{"self":")").append(path).append(R"(","events":)");
  append_json_string(out, links.events);
  if (!links.input.empty()) {
    out.append(R"(,"input":)");
    append_json_string(out, links.input);
  }
  out.append(R"(,"cancel":")").append(path).append(R"(/cancel"}})");
}

void append_head(std::string& out, std::string_view id, JobState state) {
  out.append(R"({"id":")").append(id).append(R"(","status":")");
  out.append(to_string(state)).append("\"");
}

constexpr std::size_t path_prefix = std::string_view("/v1/jobs/").size();

}  // namespace

std::string job_path(const JobId& id) {
  std::string path = "/v1/jobs/";
  path.reserve(path_prefix + 36);
  id.append_to(path);
  return path;
}

std::string job_json(const StoredJob& job, const Job* accepted, const JobLinks& links,
                     bool with_result) {
  const std::string path = job_path(job.id);
  std::string out;
  out.reserve(768 + (job.outcome && accepted && with_result ? job.outcome->text.size() : 0));
  append_head(out, std::string_view(path).substr(path_prefix), job.state);
  append_member_or_null(out, "kind", job.kind);
  append_member_or_null(out, "session", job.session);
  append_member_or_null(out, "model", job.model);
  append_member_time(out, "created_at", job.created_at);
  append_member_time(out, "started_at", job.started_at);
  append_member_time(out, "ended_at", job.ended_at);
  append_member_time(out, "deadline", job.deadline);
  out += R"(,"attempts":)";
  append_number(out, std::uint64_t{job.attempts});
  append_outcome(out, job, accepted, with_result);
  append_links(out, path, links);
  return out;
}

std::string receipt_json(const JobId& id, JobState state, std::string_view session,
                         WallTime created_at, std::string_view events_link) {
  const std::string path = job_path(id);
  std::string out;
  out.reserve(384 + session.size() + events_link.size());
  append_head(out, std::string_view(path).substr(path_prefix), state);
  append_member_or_null(out, "session", session);
  append_member_time(out, "created_at", created_at);
  append_links(out, path, {.events = std::string(events_link), .input = {}});
  return out;
}

Job job_of(const StoredJob& stored) {
  auto decoded = decode_envelope(stored.envelope);
  if (auto* job = std::get_if<Job>(&decoded)) return std::move(*job);
  Job job;
  job.id = stored.id;
  job.kind = stored.kind;
  job.tenant = stored.tenant;
  job.session = stored.session;
  job.model = stored.model;
  job.input = unknown_input;
  job.created_at = stored.created_at;
  job.deadline = stored.deadline;
  job.envelope = encode_envelope(job);
  return job;
}

}  // namespace millrace
