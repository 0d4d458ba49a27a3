#include "workers/pool/read_back.h"

#include <simdjson.h>

namespace millrace {
namespace {

/// The `to` of a rewind.
Seq place_in(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element event;
  std::uint64_t to = 0;
  if (parser.parse(json.data(), json.size()).get(event) || event["to"].get(to)) return 0;
  return to;
}

}  // namespace

Task<Result<Said>> read_back(EventLog& log, JobId id) {
  TextFold fold;
  Said said;
  bool lost = false;
  Seq first_aside = 0;
  for (bool more = true; more;) {
    const auto page = co_await log.read(id, fold.last());
    if (!page && page.error() == Errc::not_found) break;
    if (!page) co_return Failure(page.error());
    std::string_view lines = page->lines;
    EventLine event;
    const Seq before = fold.last();
    while (next_event(lines, event)) {
      fold.take(event);
      if (event.type == "delta") ++said.pieces;
      lost = lost || event.type == "gap";
      if (aside_event(event.type) && first_aside == 0) first_aside = event.seq;
      if (event.type == "rewind" && place_in(event.json) < first_aside) first_aside = 0;
      if (!fold.text().empty() || first_aside > 0) continue;
      said.begins_after = event.seq;
      said.pieces = 0;
    }
    more = page->more && fold.last() > before;
  }
  // What was said before a gap some readers hold still: only a rewind to nothing reaches it.
  if (lost) said.begins_after = 0;
  said.text = fold.text();
  said.aside = first_aside > 0;
  co_return said;
}

}  // namespace millrace
