#include "workers/pool/read_end.h"

#include <simdjson.h>

#include "shared/contract/raw_members.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;

JobState state_of(std::string_view terminal_type) {
  for (const auto state : {JobState::succeeded, JobState::failed, JobState::cancelled})
    if (terminal_type == terminal_event_type(state)) return state;
  return JobState::expired;
}

std::string text_at(dom::element json, std::string_view pointer) {
  std::string_view text;
  if (json.at_pointer(pointer).get(text)) return {};
  return std::string(text);
}

/// `said`: what readers hold, which only a `done` repeats.
Result<Outcome> outcome_in(const EventLine& event, const std::string& said) {
  dom::parser parser;
  dom::element json;
  if (parser.parse(event.json.data(), event.json.size()).get(json)) return Failure(Errc::corrupt);
  Outcome outcome;
  outcome.state = state_of(event.type);
  outcome.text = said;
  outcome.finish_reason = text_at(json, "/result/finish_reason");
  outcome.model = text_at(json, "/result/model");
  outcome.usage = raw_member(event.json, json, "usage");
  dom::element calls;
  if (!json.at_pointer("/result/tool_calls").get(calls))
    outcome.tool_calls = read_tool_calls(simdjson::minify(calls));
  dom::element result;
  if (!json["result"].get(result)) outcome.asides = read_asides(simdjson::minify(result));
  outcome.error_code = text_at(json, "/code");
  outcome.error_message = text_at(json, "/message");
  if (json["retryable"].get(outcome.retryable)) outcome.retryable = false;
  return outcome;
}

}  // namespace

Task<Result<Outcome>> read_end(EventLog& log, JobId id) {
  TextFold fold;
  for (bool more = true; more;) {
    const auto page = co_await log.read(id, fold.last());
    if (!page) co_return Failure(page.error());
    std::string_view lines = page->lines;
    EventLine event;
    const Seq before = fold.last();
    while (next_event(lines, event)) {
      if (terminal_event(event.type)) co_return outcome_in(event, fold.text());
      fold.take(event);
    }
    more = page->more && fold.last() > before;
  }
  co_return Failure(Errc::not_found);
}

}  // namespace millrace
