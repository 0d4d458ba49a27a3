#include "shared/contract/event.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

/// `1.234`: seconds with milliseconds, no float formatting on the token path.
void append_seconds(std::string& out, std::chrono::milliseconds time) {
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0));
  append_number(out, count / 1000);
  const auto rest = count % 1000;
  const std::array<char, 4> fraction{'.', static_cast<char>('0' + rest / 100),
                                     static_cast<char>('0' + rest / 10 % 10),
                                     static_cast<char>('0' + rest % 10)};
  out.append(fraction.data(), fraction.size());
}

void append_result(std::string& out, const Outcome& outcome) {
  out += R"(,"result":{"text":)";
  append_json_string(out, outcome.text);
  out += R"(,"finish_reason":)";
  append_json_string(out, outcome.finish_reason);
  out += R"(,"model":)";
  append_json_string(out, outcome.model);
  if (!outcome.tool_calls.empty()) {
    out += R"(,"tool_calls":)";
    append_tool_calls(out, outcome.tool_calls);
  }
  append_members(out, outcome.asides);
  out += '}';
  if (!outcome.usage.empty()) out.append(R"(,"usage":)").append(outcome.usage);
}

void append_error(std::string& out, const Outcome& outcome) {
  out += R"(,"code":)";
  append_json_string(out, outcome.error_code);
  out += R"(,"message":)";
  append_json_string(out, outcome.error_message);
  out += outcome.retryable ? R"(,"retryable":true)" : R"(,"retryable":false)";
}

/// Takes digits up to a space; false when there are none or too many.
bool take_seq(std::string_view& text, Seq& seq) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seq);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

}  // namespace

EventWriter::EventWriter(const JobId& id, WallTime accepted_at) : accepted_at_(accepted_at) {
  job_ = R"({"job":")";
  id.append_to(job_);
  job_ += R"(","seq":)";
}

void EventWriter::head(std::string& out, At at, std::string_view type) const {
  append_number(out, at.seq);
  out.append(" ").append(type).append(" ").append(job_);
  append_number(out, at.seq);
  out.append(R"(,"type":")").append(type).append(R"(","ts":")");
  append_rfc3339(out, at.now);
  out += R"(","elapsed":)";
  append_seconds(out, at.now - accepted_at_);
}

void EventWriter::queued(std::string& out, At at, std::int64_t position, double eta_s) const {
  head(out, at, "queued");
  if (position >= 0) {
    out += R"(,"position":)";
    append_number(out, static_cast<std::uint64_t>(position));
  }
  if (eta_s >= 0 && std::isfinite(eta_s)) {
    out += R"(,"eta_s":)";
    append_seconds(out, std::chrono::milliseconds(static_cast<std::int64_t>(eta_s * 1000)));
  }
  out += "}\n";
}

void EventWriter::started(std::string& out, At at, std::uint32_t attempt,
                          std::string_view worker) const {
  head(out, at, "started");
  out += R"(,"attempt":)";
  append_number(out, std::uint64_t{attempt});
  out += R"(,"worker":)";
  append_json_string(out, worker);
  out += "}\n";
}

void EventWriter::status(std::string& out, At at, std::string_view message) const {
  head(out, at, "status");
  out += R"(,"message":)";
  append_json_string(out, message);
  out += "}\n";
}

void EventWriter::delta(std::string& out, At at, std::string_view text) const {
  head(out, at, "delta");
  out += R"(,"text":)";
  append_json_string(out, text);
  out += "}\n";
}

void EventWriter::aside(std::string& out, At at, Aside kind, std::string_view text) const {
  head(out, at, to_string(kind));
  out += R"(,"text":)";
  append_json_string(out, text);
  out += "}\n";
}

void EventWriter::rewind(std::string& out, At at, Seq to) const {
  head(out, at, "rewind");
  out += R"(,"to":)";
  append_number(out, to);
  out += "}\n";
}

void EventWriter::gap(std::string& out, At at, Seq from, Seq to) const {
  head(out, at, "gap");
  out += R"(,"from":)";
  append_number(out, from);
  out += R"(,"to":)";
  append_number(out, to);
  out += "}\n";
}

void EventWriter::snapshot(std::string& out, At at, std::string_view text, Seq upto) const {
  head(out, at, "snapshot");
  out += R"(,"text":)";
  append_json_string(out, text);
  out += R"(,"upto":)";
  append_number(out, upto);
  out += "}\n";
}

void EventWriter::tool_call(std::string& out, At at, const ToolCall& call) const {
  head(out, at, "tool_call");
  out += ',';
  append_members(out, call);
  out += "}\n";
}

void EventWriter::terminal(std::string& out, At at, const Outcome& outcome) const {
  head(out, at, terminal_event_type(outcome.state));
  if (outcome.state == JobState::succeeded) append_result(out, outcome);
  if (outcome.state == JobState::failed) append_error(out, outcome);
  out += "}\n";
}

bool next_event(std::string_view& lines, EventLine& event) {
  const auto end = lines.find('\n');
  if (end == std::string_view::npos) return false;
  std::string_view line = lines.substr(0, end);
  event.whole = lines.substr(0, end + 1);
  if (!take_seq(line, event.seq)) return false;
  const auto space = line.find(' ');
  if (space == 0 || space == std::string_view::npos) return false;
  event.type = line.substr(0, space);
  event.json = line.substr(space + 1);
  lines.remove_prefix(end + 1);
  return true;
}

bool numbered_after(Seq expected, std::uint32_t count, std::string_view lines) {
  EventLine event;
  for (std::uint32_t i = 0; i < count; ++i)
    if (!next_event(lines, event) || event.seq != expected + 1 + i) return false;
  return lines.empty();
}

bool aside_event(std::string_view type) {
  return type == to_string(Aside::reasoning) || type == to_string(Aside::refusal);
}

bool terminal_event(std::string_view type) {
  return type == "done" || type == "error" || type == "cancelled" || type == "expired";
}

std::string_view terminal_event_type(JobState state) {
  switch (state) {
    case JobState::succeeded:
      return "done";
    case JobState::failed:
      return "error";
    case JobState::cancelled:
      return "cancelled";
    default:
      return "expired";
  }
}

}  // namespace millrace
