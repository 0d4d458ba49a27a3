#include "workers/pool/read_back.h"

namespace millrace {

Task<Result<Said>> read_back(EventLog& log, JobId id) {
  TextFold fold;
  Said said;
  bool lost = false;
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
      if (!fold.text().empty()) continue;
      said.begins_after = event.seq;
      said.pieces = 0;
    }
    more = page->more && fold.last() > before;
  }
  // What was said before a gap some readers hold still: only a rewind to nothing reaches it.
  if (lost) said.begins_after = 0;
  said.text = fold.text();
  co_return said;
}

}  // namespace millrace
