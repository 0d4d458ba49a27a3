#include "ops/cli/job_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "shared/contract/state.h"
#include "shared/runtime/time.h"

namespace millrace::cli {
namespace {

/// `2026-01-31 09:30:00` of an RFC 3339 time.
std::string short_time(const std::string& time) {
  if (time.size() < 19) return time;
  return time.substr(0, 10) + " " + time.substr(11, 8);
}

/// Between two times, or empty.
std::string between(const std::string& from, const std::string& to) {
  const auto begin = from_rfc3339(from);
  const auto end = from_rfc3339(to);
  if (!begin || !end) return {};
  return seconds_text(std::chrono::duration<double>(*end - *begin).count());
}

std::string fact(std::string_view name, std::string_view value) {
  return value.empty() ? std::string() : fmt::format("{:<11} {}\n", name, value);
}

std::string cut(std::string text, std::size_t width) {
  if (text.size() > width) text.replace(width - 1, std::string::npos, "…");
  return text;
}

constexpr auto row_format = "{:<36}  {:<9}  {:<19}  {:>9}  {:<24}  {}";

}  // namespace

Ink ink_of(std::string_view status) {
  if (status == "succeeded") return Ink::green;
  if (status == "failed") return Ink::red;
  if (status == "running") return Ink::cyan;
  return status == "queued" ? Ink::plain : Ink::yellow;
}

std::optional<Exit> exit_of_status(std::string_view status) {
  const auto state = job_state(status);
  if (!state || !terminal(*state)) return std::nullopt;
  if (*state == JobState::succeeded) return Exit::succeeded;
  return *state == JobState::failed ? Exit::failed : Exit::ended;
}

std::string_view status_of_event(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> ends{
      {{"done", "succeeded"},
       {"error", "failed"},
       {"cancelled", "cancelled"},
       {"expired", "expired"}}};
  for (const auto& [event, status] : ends)
    if (event == type) return status;
  return {};
}

std::string list_head() {
  return fmt::format(row_format, "ID", "STATUS", "CREATED (UTC)", "TOOK", "MODEL", "SESSION");
}

std::string list_row(const Json& job, const Screen& screen) {
  const std::string status = job.text("/status");
  const auto row =
      fmt::format(row_format, job.text("/id"), "\n", short_time(job.text("/created_at")),
                  between(job.text("/created_at"), job.text("/ended_at")),
                  cut(job.text("/model"), 24), job.text("/session"));
  // The colour has no width: it goes in once the columns stand.
  const auto place = row.find('\n');
  const auto padded = fmt::format("{:<9}", status);
  return row.substr(0, place) + screen.inked(ink_of(status), padded) + row.substr(place + 9);
}

std::string whole_job(const Json& job, const Screen& screen) {
  const std::string status = job.text("/status");
  const auto attempts = job.number("/attempts").value_or(0);
  std::string text = fact("id", job.text("/id"));
  text += fact("status", screen.inked(ink_of(status), status));
  text += fact("session", job.text("/session"));
  text += fact("model", job.text("/model"));
  text += fact("created", short_time(job.text("/created_at")));
  text += fact("started", short_time(job.text("/started_at")));
  text += fact("ended", short_time(job.text("/ended_at")));
  text += fact("took", between(job.text("/created_at"), job.text("/ended_at")));
  if (attempts > 1) text += fact("attempts", std::to_string(attempts));
  text += fact("metadata", job.raw("/metadata"));
  text += fact("usage", job.raw("/usage"));
  text += fact("error", failure_of(job, "/error"));
  const std::string answer = job.text("/result/text");
  if (!answer.empty()) text.append("\n").append(answer).append("\n");
  text.pop_back();
  return text;
}

std::string failure_of(const Json& job, std::string_view error_pointer) {
  const std::string at(error_pointer);
  const std::string message = job.text(at + "/message");
  const std::string code = job.text(at + "/code");
  return code.empty() ? message : fmt::format("{} ({})", message, code);
}

std::string seconds_text(double seconds) {
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", std::max(seconds, 0.0) * 1000);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(seconds);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace millrace::cli
