#include "producer/relay/merge.h"

#include <algorithm>

namespace millrace::relay {

void Merge::join(std::unique_ptr<Seat> seat) {
  seat->wake_with(&out_.wake());
  cursor_.set(seat->id(), seat->last());
  seats_.push_back(std::move(seat));
}

bool Merge::has(const JobId& id) const {
  return std::ranges::any_of(seats_, [&](const auto& seat) { return seat->id() == id; });
}

void Merge::add_frames(const JobId& id, std::string_view frames) {
  Frame frame;
  while (next_frame(frames, frame)) {
    if (!frame.seq) {
      pending_ += frame.whole;
      continue;
    }
    if (terminal_event(frame.type)) {
      cursor_.remove(id);
    } else {
      cursor_.set(id, *frame.seq);
    }
    pending_.append(frame.head).append("id: ");
    cursor_.append_to(pending_);
    pending_.append("\n\n");
    ++pending_events_;
  }
}

Task<Merge::Step> Merge::draw_from(Seat& seat) {
  const auto look = seat.look();
  switch (look.kind) {
    case Seat::Kind::frames:
      add_frames(seat.id(), look.slice.frames);
      seat.took(look.slice);
      co_return Step::kept;
    case Seat::Kind::behind: {
      if (overdue()) co_return Step::kept;
      const auto page = co_await hub_.fetch(seat);
      if (!page) {
        page_again_at_ = hub_.clock().now() + hub_tick;
        co_return Step::kept;
      }
      add_frames(seat.id(), page->frames);
      seat.took(*page);
      co_return page->ended ? Step::left : Step::kept;
    }
    case Seat::Kind::too_slow:
      co_return Step::cut;
    case Seat::Kind::over:
    case Seat::Kind::failed:
      co_return Step::left;
    case Seat::Kind::nothing:
      co_return Step::kept;
  }
  co_return Step::kept;
}

Task<Merge::Drawn> Merge::draw() {
  pending_.clear();
  pending_events_ = 0;
  for (auto left = seats_.size(); left > 0 && pending_.size() < merged_write_bytes; --left) {
    if (turn_ >= seats_.size()) turn_ = 0;
    const auto step = co_await draw_from(*seats_[turn_]);
    if (step == Step::cut) {
      out_.cut();
      co_return Drawn::over;
    }
    if (step == Step::kept) {
      ++turn_;
      continue;
    }
    cursor_.remove(seats_[turn_]->id());
    left_.push_back(seats_[turn_]->id());
    seats_.erase(seats_.begin() + static_cast<std::ptrdiff_t>(turn_));
  }
  if (pending_.empty()) co_return Drawn::nothing;
  const bool sent = co_await out_.send(pending_, pending_events_);
  if (pending_.capacity() > merged_write_bytes) pending_ = {};
  co_return sent ? Drawn::sent : Drawn::over;
}

}  // namespace millrace::relay
