#include "producer/relay/event_pages.h"

#include "shared/runtime/json_text.h"

namespace millrace::relay {

std::string event_page_json(const JobId& id, const LogPage& page, Seq after, std::size_t limit) {
  std::string json = R"({"job":")";
  json.reserve(page.lines.size() + 256);
  id.append_to(json);
  json += R"(","events":[)";
  std::string_view lines = page.lines;
  EventLine event;
  Seq next = after;
  bool first = true;
  bool more = page.more;
  for (std::size_t taken = 0; next_event(lines, event);) {
    if (event.seq <= next) continue;
    if (taken == limit) {
      more = true;
      break;
    }
    const auto lost = lost_before(next, event);
    if (!first) json += ',';
    if (lost) json.append(made_gap_json(id, *lost)).append(",");
    json += event.json;
    first = false;
    next = event.seq;
    ++taken;
  }
  json += R"(],"last":)";
  append_number(json, page.last);
  json.append(R"(,"status":")").append(to_string(page.state));
  json.append(R"(","more":)").append(more ? "true" : "false");
  json += R"(,"next":)";
  append_number(json, next);
  json += '}';
  return json;
}

Task<Result<std::string>> read_event_page(Hub& hub, JobId id, Seq after, std::size_t limit,
                                          Readable readable) {
  const auto page = co_await hub.page(id, after);
  if (page && !readable.covers((*page)->tenant)) co_return Failure(Errc::not_found);
  if (page) co_return event_page_json(id, **page, after, limit);
  const bool gone = page.error() == Errc::not_found;
  const auto stored = co_await hub.find()(id);
  if (!stored) {
    const bool nobody_knows = gone && stored.error() == Errc::not_found;
    co_return Failure(nobody_knows ? Errc::not_found : Errc::unavailable);
  }
  if (!readable.covers(stored->tenant)) co_return Failure(Errc::not_found);
  LogPage made{.lines = {}, .last = 0, .state = stored->state, .more = false};
  if (terminal(stored->state)) {
    made.lines = stored_end_line(*stored);
    made.last = last_seq_possible;
  } else if (!gone) {
    co_return Failure(Errc::unavailable);
  }
  co_return event_page_json(id, made, after, limit);
}

}  // namespace millrace::relay
