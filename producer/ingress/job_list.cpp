#include "producer/ingress/job_list.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "producer/ingress/job_view.h"
#include "producer/ingress/limits.h"
#include "shared/http/one_meaning.h"

namespace millrace {
namespace {

using Fault = std::optional<Refusal>;

constexpr std::array<std::string_view, 3> kinds{"chat", "analysis", "batch_part"};

Refusal invalid(std::string_view name, std::string detail) {
  return refuse("invalid_parameter", std::string(name), std::move(detail));
}

Fault read_status(const std::string& text, JobFilter& filter) {
  filter.state = job_state(text);
  if (filter.state) return {};
  return invalid("status", "`status` is " + quoted(text) +
                               "; allowed are queued, running, retrying, succeeded, failed, "
                               "cancelled, expired.");
}

Fault read_kind(const std::string& text, JobFilter& filter) {
  filter.kind = text;
  if (std::ranges::find(kinds, text) != kinds.end()) return {};
  return invalid("kind", "`kind` is " + quoted(text) + "; allowed are chat, analysis, batch_part.");
}

Fault read_session(const std::string& text, JobFilter& filter) {
  filter.session = text;
  if (!text.empty() && text.size() <= limits::name_bytes_max) return {};
  return invalid("session", "`session` has " + std::to_string(text.size()) +
                                " bytes; allowed are 1 to 200. Leave it out for all jobs.");
}

Fault read_limit(const std::string& text, JobFilter& filter) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), filter.limit);
  const bool number = error == std::errc() && end == text.data() + text.size();
  if (number && filter.limit >= 1 && filter.limit <= ingress_limits::list_limit_max) return {};
  return invalid("limit", "`limit` is " + quoted(text) + "; allowed is a number from 1 to 100.");
}

Fault read_after(const std::string& text, JobFilter& filter) {
  filter.after = JobId::parse(text);
  if (filter.after) return {};
  return invalid("after", "`after` is " + quoted(text) +
                              "; it must be the id of a job, as `next` of the page before.");
}

}  // namespace

std::expected<JobFilter, Refusal> parse_job_filter(const http::Request& request) {
  JobFilter filter;
  filter.limit = ingress_limits::list_limit_default;
  Fault fault;
  if (const auto unheard =
          http::unheard_parameter(request, {"status", "kind", "session", "limit", "after"}))
    fault = invalid(unheard->name, unheard->detail);
  const auto take = [&](std::string_view name, auto read) {
    const auto value = fault ? std::nullopt : request.query_param(name);
    if (value) fault = read(*value, filter);
  };
  take("status", read_status);
  take("kind", read_kind);
  take("session", read_session);
  take("limit", read_limit);
  take("after", read_after);
  if (fault) return std::unexpected(std::move(*fault));
  return filter;
}

Refusal no_such_place(const JobFilter& filter) {
  return invalid("after", "There is no job " + filter.after->str() +
                              " to go on after; take `next` of the page before, or leave `after` "
                              "out to begin with the newest.");
}

std::string job_list_json(const std::vector<StoredJob>& jobs, std::uint32_t limit,
                          const std::function<std::string(const JobId&)>& events_link) {
  const std::size_t shown = std::min<std::size_t>(jobs.size(), limit);
  const bool more = jobs.size() > shown;
  std::string out = R"({"data":[)";
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) out += ',';
    out += job_json(jobs[i], nullptr, {.events = events_link(jobs[i].id), .input = {}});
  }
  out += more ? R"(],"has_more":true,"next":")" : R"(],"has_more":false,"next":)";
  if (more)
    out.append(jobs[shown - 1].id.str()).append("\"}");
  else
    out += "null}";
  return out;
}

}  // namespace millrace
