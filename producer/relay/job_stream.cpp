#include "producer/relay/job_stream.h"

#include <algorithm>
#include <utility>

#include "producer/relay/outlet.h"

namespace millrace::relay {
namespace {

/// Lets the stream's own wake-up hear of the seat's news, no longer than the stream runs.
class Listening {
 public:
  Listening(Seat& seat, Signal& signal) : seat_(seat) { seat_.wake_with(&signal); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() { seat_.wake_with(nullptr); }

 private:
  Seat& seat_;
};

/// What stands in for a backlog of deltas.
struct Fold {
  std::string frames;     ///< the other events
  std::string end_frame;  ///< the terminal event: it stays last
  TextFold text;
  Seq upto = 0;  ///< the last event before the end: who drops all up to a snapshot keeps the end
  std::uint64_t events = 0;
  bool changed = false;  ///< there was text, if only to be taken back
};

void fold_page(Fold& fold, std::string_view lines, Seq after) {
  EventLine event;
  while (next_event(lines, event)) {
    fold.text.take(event);
    const bool end = terminal_event(event.type);
    if (!end) fold.upto = event.seq;
    if (event.type == "delta" || event.type == "rewind" || event.type == "snapshot") {
      fold.changed = true;
    } else if (event.seq > after) {
      append_frame(end ? fold.end_frame : fold.frames, event);
      ++fold.events;
    }
  }
}

enum class Went { on, idle, over };

/// The log has gone, and what the tail still has may be in a snapshot that this reader was given
/// before: it has no number to tell. Its words must not be said behind it once more.
Task<Went> skip_lost_past(Seat& seat, Outlet& out) {
  const Seq upto = seat.last_before_end();
  if (seat.last() == 0 || upto <= seat.last()) co_return Went::on;
  std::string frame;
  append_made_frame(frame, "gap", made_gap_json(seat.id(), {seat.last() + 1, upto}));
  seat.skip_to(upto);
  const bool sent = co_await out.send(frame, 1);
  co_return sent ? Went::on : Went::over;
}

/// Sends the past as a snapshot and moves the seat behind it. Where the log does not have the
/// past the seat stays, and the stream tells what can be told.
Task<Went> send_snapshot(Hub& hub, Seat& seat, Outlet& out) {
  Fold fold;
  for (bool more = true; more;) {
    const auto page = co_await hub.page(seat.id(), fold.text.last());
    if (!page && page.error() == Errc::not_found) co_return co_await skip_lost_past(seat, out);
    if (!page) {
      const bool there = co_await out.rest(hub.clock().now() + hub_tick);
      if (!there || out.draining()) co_return Went::over;
      continue;
    }
    fold_page(fold, (*page)->lines, seat.last());
    more = (*page)->more;
  }
  if (fold.changed) {
    append_made_frame(fold.frames, "snapshot",
                      made_snapshot_json(seat.id(), fold.text.text(), fold.upto));
    ++fold.events;
  }
  fold.frames += fold.end_frame;
  seat.skip_to(fold.text.last());
  if (fold.frames.empty()) co_return Went::on;
  const bool sent = co_await out.send(fold.frames, fold.events);
  co_return sent&& fold.end_frame.empty() ? Went::on : Went::over;
}

/// Sends one page of the past; waits a moment where the log is away.
Task<Went> send_page(Hub& hub, Seat& seat, Outlet& out) {
  const auto page = co_await hub.fetch(seat);
  if (!page) {
    const bool there = co_await out.rest(hub.clock().now() + hub_tick);
    co_return there ? Went::on : Went::over;
  }
  seat.took(*page);
  if (page->frames.empty()) co_return Went::on;
  const bool sent = co_await out.send(page->frames, page->events);
  co_return sent && !page->ended ? Went::on : Went::over;
}

/// Takes the seat of a job that was just accepted. Null: the reader has gone, or nobody has
/// come to know the job.
Task<std::shared_ptr<Seat>> seat_when_known(Hub& hub, JobId id, Seq after, Outlet& out) {
  const auto deadline = hub.clock().now() + open_retry_for;
  while (!out.gone() && !out.draining()) {
    auto seat = co_await hub.open(id, after);
    if (seat) co_return std::move(*seat);
    if (hub.clock().now() >= deadline) break;
    const bool there = co_await out.rest(hub.clock().now() + hub_tick);
    if (!there) break;
  }
  co_return nullptr;
}

/// What one stream is asked for. Without a seat it takes one itself.
struct Wanted {
  std::shared_ptr<Seat> seat;
  JobId id;
  Seq after = 0;
  Backlog backlog = Backlog::events;
};

/// Sends what comes next. A coroutine of its own, so that a stream that waits does not keep room
/// for what it takes to send.
Task<Went> send_next(Hub& hub, Seat& seat, Outlet& out) {
  const auto look = seat.look();
  switch (look.kind) {
    case Seat::Kind::frames: {
      const auto events = look.slice.next.event - seat.place().event;
      const bool sent = co_await out.send(look.slice.frames, events);
      if (sent) seat.took(look.slice);
      co_return sent ? Went::on : Went::over;
    }
    case Seat::Kind::behind:
      if (out.draining()) co_return Went::over;  // it has its place: another edge goes on there
      co_return co_await send_page(hub, seat, out);
    case Seat::Kind::too_slow:
      out.cut();
      co_return Went::over;
    case Seat::Kind::over:
    case Seat::Kind::failed:
      co_return Went::over;
    case Seat::Kind::nothing:
      break;
  }
  co_return out.draining() ? Went::over : Went::idle;
}

Task<> stream_job(Hub& hub, Wanted wanted, http::StreamWriter& writer) {
  Outlet out(writer, hub.clock(), hub.metrics());
  if (!wanted.seat) wanted.seat = co_await seat_when_known(hub, wanted.id, wanted.after, out);
  if (!wanted.seat) co_return;
  Seat& seat = *wanted.seat;
  const Listening listening(seat, out.wake());
  Went went = Went::on;
  if (wanted.backlog == Backlog::snapshot) went = co_await send_snapshot(hub, seat, out);
  while (went != Went::over && !out.gone()) {
    if (went == Went::on) {
      went = co_await send_next(hub, seat, out);
      continue;
    }
    went = Went::on;
    const bool woken = co_await out.wake().wait_until(out.heartbeat_at());
    if (woken) continue;
    const bool there = co_await out.heartbeat_if_due();
    if (!there) co_return;
  }
}

}  // namespace

http::StreamBody job_stream(Hub& hub, std::shared_ptr<Seat> seat, Backlog backlog) {
  Wanted wanted{.seat = std::move(seat), .id = {}, .after = 0, .backlog = backlog};
  return [&hub, wanted = std::move(wanted)](http::StreamWriter& writer) {
    return stream_job(hub, wanted, writer);
  };
}

http::StreamBody new_job_stream(Hub& hub, const JobId& id, Seq after) {
  return [&hub, id, after](http::StreamWriter& writer) {
    return stream_job(hub, Wanted{.seat = nullptr, .id = id, .after = after}, writer);
  };
}

}  // namespace millrace::relay
