#include <utility>

#include "producer/relay/hub.h"

// What readers ask of the log: pages of the past, and whether a job has ended.
namespace millrace::relay {

Task<> Hub::perform(std::shared_ptr<SharedRead> read, JobId id, Seq after) {
  add(metrics_.log_reads, 1);
  auto page = co_await log_.read(id, after);
  if (page) {
    read->page = std::make_shared<const LogPage>(std::move(*page));
  } else {
    read->page = Failure(page.error());
  }
  read->ended = true;
  reads_.erase({id, after});
  read->done.notify();
}

Task<std::shared_ptr<Hub::SharedRead>> Hub::shared_read(JobId id, Seq after, Seq floor) {
  auto& slot = reads_[{id, after}];
  auto read = slot;
  if (!read) {
    read = slot = std::make_shared<SharedRead>(clock_);
    read->floor = floor;
    // A log that is away answers at once, and then the slot has gone when this returns.
    nursery_.start(perform(read, id, after));
  }
  const auto deadline = clock_.now() + 2 * limits::log_command_timeout;
  while (!read->ended && clock_.now() < deadline) co_await read->done.wait_until(deadline);
  co_return read;
}

Task<Result<std::shared_ptr<const LogPage>>> Hub::page(JobId id, Seq after) {
  const auto read = co_await shared_read(id, after, 0);
  co_return read->page;
}

Task<Result<FramedPage>> Hub::fetch(Seat& seat) {
  const Feed& feed = seat.feed_;
  if (feed.sequence_.log_gone()) co_return co_await without_page(seat);
  const auto read = co_await shared_read(seat.id(), seat.last(), feed.sequence_.tail().base());
  if (!read->page && read->page.error() == Errc::not_found) co_return co_await without_page(seat);
  if (!read->page) co_return Failure(read->page.error());
  const LogPage& page = **read->page;
  auto framed = frame_page(seat.id(), page.lines, seat.last());
  // What the tail held when the read was sent was in the log once.
  if (!page.more && !framed.ended && framed.last < read->floor) {
    append_made_frame(framed.frames, "gap",
                      made_gap_json(seat.id(), {framed.last + 1, read->floor}));
    framed.last = read->floor;
  }
  co_return framed;
}

Task<FramedPage> Hub::without_page(Seat& seat) {
  const Tail& tail = seat.feed_.sequence_.tail();
  FramedPage framed{.frames = {}, .last = seat.last()};
  if (tail.base() == tail.last() && seat.job_ended()) {
    // The end was in the log alone: the Store has it still.
    const auto stored = co_await find_(seat.id());
    if (stored && terminal(stored->state)) {
      co_return frame_page(seat.id(), stored_end_line(*stored), seat.last());
    }
  }
  if (seat.last() < tail.base()) {
    append_made_frame(framed.frames, "gap",
                      made_gap_json(seat.id(), {seat.last() + 1, tail.base()}));
    framed.last = tail.base();
  }
  co_return framed;
}

Task<bool> Hub::wait_for_end(JobId id, Instant deadline) {
  while (clock_.now() < deadline) {
    auto seat = sit(id, last_seq_possible);  // wants no backlog
    Signal news(clock_);
    seat->wake_with(&news);
    for (;;) {
      const auto look = seat->look();
      if (seat->job_ended()) co_return true;
      if (look.kind == Seat::Kind::failed) break;
      const bool woken = co_await news.wait_until(deadline);
      if (!woken) co_return seat->job_ended();
    }
    seat.reset();
    co_await clock_.sleep_until(std::min(deadline, clock_.now() + hub_tick));
  }
  co_return false;
}

}  // namespace millrace::relay
