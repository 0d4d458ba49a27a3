#include "producer/relay/dialect_stream.h"

#include <utility>

#include "producer/relay/job_stream.h"
#include "producer/relay/outlet.h"

namespace millrace::relay {
namespace {

/// One client's way through a job's events: what the hub has for it goes through the dialect, and
/// waits here to be sent.
class Telling {
 public:
  Telling(Hub& hub, std::unique_ptr<Seat> seat, Dialect& dialect, Seq after, Signal& wake)
      : hub_(hub), seat_(std::move(seat)), dialect_(dialect), after_(after) {
    seat_->wake_with(&wake);
  }
  ~Telling() { seat_->wake_with(nullptr); }
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;

  enum class Went : std::uint8_t {
    on,    ///< look at `unsent`, then here again
    idle,  ///< wait for the wake-up
    away,  ///< the log does not answer: try again in a moment
    cut,   ///< the client is too far behind, or nobody knows the job any more
  };

  Task<Went> take_next() {
    const auto look = seat_->look();
    switch (look.kind) {
      case Seat::Kind::frames:
        take(look.slice.frames);
        seat_->took(look.slice);
        co_return Went::on;
      case Seat::Kind::behind:
        co_return co_await take_page();
      case Seat::Kind::nothing:
        co_return Went::idle;
      default:
        co_return Went::cut;
    }
  }

  bool over() const { return dialect_.over(); }
  std::string& unsent() { return unsent_; }
  std::uint64_t take_count() { return std::exchange(events_, 0); }

 private:
  Task<Went> take_page() {
    const auto page = co_await hub_.fetch(*seat_);
    if (!page) co_return Went::away;
    seat_->took(*page);
    take(page->frames);
    co_return Went::on;
  }

  void take(std::string_view frames) {
    Frame frame;
    while (!dialect_.over() && next_frame(frames, frame)) {
      const std::size_t told = unsent_.size();
      dialect_.take(frame, unsent_);
      if (frame.seq && *frame.seq > after_) after_ = 0;
      if (after_ > 0) unsent_.resize(told);  // the client has it
      ++events_;
    }
  }

  Hub& hub_;
  std::unique_ptr<Seat> seat_;
  Dialect& dialect_;
  Seq after_;  ///< the client's last id, until something behind it has come
  std::string unsent_;
  std::uint64_t events_ = 0;
};

/// Null: the client has gone, or nobody has come to know the job.
Task<std::unique_ptr<Seat>> seat_of(Hub& hub, JobId id, Outlet& out) {
  const auto deadline = hub.clock().now() + open_retry_for;
  while (!out.gone() && !out.draining()) {
    auto seat = co_await hub.open(id, 0);
    if (seat) co_return std::move(*seat);
    if (hub.clock().now() >= deadline) break;
    const bool there = co_await out.rest(hub.clock().now() + hub_tick);
    if (!there) break;
  }
  co_return nullptr;
}

Task<> stream(Hub& hub, JobId id, Seq after, std::shared_ptr<Dialect> dialect,
              http::StreamWriter& writer) {
  // Not told when to come back: `retry` would stand in the first block, which is the dialect's.
  Outlet out(writer, hub.clock(), hub.metrics(), Outlet::Retry::untold);
  auto seat = co_await seat_of(hub, id, out);
  if (!seat) co_return;
  Telling telling(hub, std::move(seat), *dialect, after, out.wake());
  for (;;) {
    if (!telling.unsent().empty()) {
      const bool sent = co_await out.send(telling.unsent(), telling.take_count());
      if (!sent) co_return;
      telling.unsent().clear();
    }
    if (telling.over()) co_return;
    const auto went = co_await telling.take_next();
    if (went == Telling::Went::on) continue;
    if (went == Telling::Went::cut) out.cut();
    if (went == Telling::Went::cut || out.draining()) co_return;
    const bool away = went == Telling::Went::away;
    const bool there = co_await out.rest(away ? hub.clock().now() + hub_tick : Instant::max());
    if (!there) co_return;
  }
}

}  // namespace

http::StreamBody dialect_stream(Hub& hub, const JobId& id, Seq after,
                                std::shared_ptr<Dialect> dialect) {
  return [&hub, id, after, dialect = std::move(dialect)](http::StreamWriter& writer) {
    return stream(hub, id, after, dialect, writer);
  };
}

}  // namespace millrace::relay
