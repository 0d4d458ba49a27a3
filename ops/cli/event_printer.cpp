#include "ops/cli/event_printer.h"

#include <fmt/format.h>

#include "ops/cli/job_text.h"
#include "ops/cli/json.h"

namespace millrace::cli {
namespace {

bool changes_text(std::string_view type) {
  return type == "delta" || type == "rewind" || type == "snapshot";
}

/// What a note says of an event that is neither text nor an end; empty: nothing.
std::string note_of(const SseEvent& event, const Json& json) {
  if (event.type == "status") return json.text("/message");
  if (event.type == "tool_start")
    return fmt::format("▸ {} {}", json.text("/tool"), json.raw("/arguments"));
  if (event.type == "tool_end")
    return fmt::format("◂ {} {}", json.text("/tool"), json.raw("/result"));
  if (event.type == "tool_call")
    return fmt::format("▸ {} {} (for you to run)", json.text("/name"), json.raw("/arguments"));
  if (event.type == "table") return fmt::format("table {}", json.raw("/columns"));
  if (event.type == "chart") return "chart";
  if (event.type == "gap")
    return fmt::format("events {} to {} are lost", json.raw("/from"), json.raw("/to"));
  if (event.type == "started" && json.number("/attempt").value_or(1) > 1)
    return fmt::format("attempt {}", json.raw("/attempt"));
  return {};
}

std::string progress_of(const SseEvent& event, const Json& json, std::size_t bytes) {
  const std::string elapsed = seconds_text(json.real("/elapsed").value_or(0));
  if (event.type == "queued") {
    const auto position = json.number("/position");
    return position ? fmt::format("queued, {} before it", *position) : "queued";
  }
  if (event.type == "progress")
    return fmt::format("{} of {} done, {}", json.raw("/done"), json.raw("/total"), elapsed);
  return bytes > 0 ? fmt::format("running {}, {} bytes", elapsed, bytes)
                   : fmt::format("running {}", elapsed);
}

}  // namespace

void EventPrinter::take(const SseEvent& event) {
  const Json json(event.data);
  const std::string job = json.text("/job");
  Told& told = jobs_[job];
  // A made event has no number: it stands where the last one was.
  const auto seq =
      static_cast<Seq>(json.number("/seq").value_or(static_cast<std::int64_t>(told.fold.last())));
  told.fold.take({.seq = seq, .type = event.type, .json = event.data, .whole = {}});
  if (screen_.json())
    screen_.line(event.data);
  else
    show(event, json, told);
  const auto status = status_of_event(event.type);
  if (status.empty()) return;
  last_end_ = status;
  jobs_.erase(job);
}

void EventPrinter::show(const SseEvent& event, const Json& json, Told& told) {
  name_job(json.text("/job"));
  if (!status_of_event(event.type).empty()) return show_end(event, json, told);
  if (changes_text(event.type) && text_ == Text::as_it_comes) return show_text(event, json, told);
  const std::string note = note_of(event, json);
  if (!note.empty()) screen_.note(Ink::dim, note);
  screen_.progress(progress_of(event, json, told.fold.text().size()));
}

void EventPrinter::show_text(const SseEvent& event, const Json& json, Told& told) {
  if (event.type != "delta" || told.behind) {
    return catch_up(
        told, told.fold.text(),
        event.type == "snapshot" ? "the answer so far is" : "the answer goes back: what stands is",
        false);
  }
  const std::string text = json.text("/text");
  screen_.write(text);
  told.shown += text;
}

/// Shows what is missing of the answer, all of it again where what was shown is not its beginning:
/// at once on a terminal, else once it cannot become that. `whole`: the answer does not grow.
void EventPrinter::catch_up(Told& told, const std::string& answer, const std::string& why,
                            bool whole) {
  told.behind = !whole && !screen_.out_terminal() && answer.size() < told.shown.size() &&
                told.shown.starts_with(answer);
  if (told.behind) return;
  if (answer.starts_with(told.shown)) {
    screen_.write(std::string_view(answer).substr(told.shown.size()));
  } else {
    screen_.end_text();
    screen_.note(Ink::yellow, why);
    screen_.write(answer);
  }
  told.shown = answer;
}

void EventPrinter::show_end(const SseEvent& event, const Json& json, Told& told) {
  const auto status = status_of_event(event.type);
  if (event.type == "done" && text_ == Text::as_it_comes)
    catch_up(told, json.text("/result/text"), "the answer is", true);
  if (text_ == Text::as_it_comes) screen_.end_text();
  std::string note(status);
  if (const auto elapsed = json.real("/elapsed")) note += " after " + seconds_text(*elapsed);
  if (const auto tokens = json.number("/usage/completion_tokens"))
    note += fmt::format(", {} tokens", *tokens);
  if (event.type == "error") note += ": " + failure_of(json, "");
  screen_.note(ink_of(status), note);
}

/// Several jobs on one screen: whose text follows is told when it changes.
void EventPrinter::name_job(const std::string& job) {
  if (job == current_) return;
  if (!current_.empty()) {
    screen_.end_text();
    screen_.note(Ink::dim, "job " + job);
  }
  current_ = job;
}

}  // namespace millrace::cli
