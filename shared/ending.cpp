#include "shared/ending.h"

#include <algorithm>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

// A reader's buffer takes a few of these; a longer text is told in pieces.
constexpr std::size_t piece_bytes_max = 64 * 1024;

/// Numbers the lines of one append.
class Lines {
 public:
  Lines(const Ending& ending, WallTime now)
      : writer_(ending.job.id, ending.job.created_at), now_(now), last_(ending.last) {}

  void gap(Seq from, Seq to) { writer_.gap(text_, next(), from, to); }

  void replace_text(std::string_view text) {
    writer_.rewind(text_, next(), 0);
    while (!text.empty()) {
      const auto piece = cut_utf8(text, piece_bytes_max);
      writer_.delta(text_, next(), piece);
      text.remove_prefix(piece.size());
    }
  }

  void terminal(const Outcome& outcome) {
    for (const auto& call : outcome.tool_calls) writer_.tool_call(text_, next(), call);
    writer_.terminal(text_, next(), outcome);
  }

  const std::string& text() const { return text_; }
  std::uint32_t count() const { return count_; }

 private:
  EventWriter::At next() { return {last_ + ++count_, now_}; }

  EventWriter writer_;
  WallTime now_;
  Seq last_;
  std::uint32_t count_ = 0;
  std::string text_;
};

}  // namespace

Task<Result<std::string>> readers_text(EventLog& log, JobId id) {
  TextFold fold;
  Seq last = 0;
  for (bool more = true; more;) {
    const auto page = co_await log.read(id, last);
    if (!page && page.error() == Errc::not_found) break;
    if (!page) co_return Failure(page.error());
    const Seq before = last;
    std::string_view rest = page->lines;
    EventLine event;
    while (next_event(rest, event)) {
      fold.take(event);
      last = event.seq;
    }
    more = page->more && last > before;
  }
  co_return fold.text();
}

Task<Result<>> append_ending(EventLog& log, Clock& clock, Ending ending) {
  bool readers_hold_it = false;
  if (!ending.gap_from && ending.held) {
    readers_hold_it = *ending.held == ending.standing.text;
  } else if (!ending.gap_from) {
    const auto held = co_await readers_text(log, ending.job.id);
    if (!held) co_return Failure(held.error());
    readers_hold_it = *held == ending.standing.text;
  }

  Lines lines(ending, clock.wall());
  if (ending.gap_from) lines.gap(*ending.gap_from, ending.last);
  if (!readers_hold_it) lines.replace_text(ending.standing.text);
  lines.terminal(ending.standing);

  AppendRequest request;
  request.id = ending.job.id;
  request.token = ending.token;
  request.expected = ending.last;
  request.count = lines.count();
  request.lines = lines.text();
  request.state = ending.standing.state;
  const auto appended = co_await log.append(request);
  if (!appended) co_return Failure(appended.error());
  co_return Result<>();
}

}  // namespace millrace
