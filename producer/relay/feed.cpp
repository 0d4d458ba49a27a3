#include "producer/relay/feed.h"

#include <algorithm>

#include "producer/relay/hub.h"

namespace millrace::relay {

Feed::Feed(Hub& hub, Clock& clock, const JobId& id, Seq first_after)
    : hub_(hub),
      clock_(clock),
      sequence_(id),
      changed_(clock),
      first_after_(first_after),
      heard_at_(clock.now()),
      empty_since_(clock.now()) {}

void Feed::on_lines(std::string_view lines) noexcept {
  heard_at_ = clock_.now();
  const bool in_order = sequence_.take_live(lines, reading_);
  wake();
  if (in_order) return;
  add(hub_.metrics().jumps, 1);
  hub_.catch_up_soon(*this);
}

void Feed::on_uncertain() noexcept {
  subscribed_ = true;
  changed_.notify();
  if (!awaited_) hub_.catch_up_soon(*this);
}

void Feed::wake() {
  for (Seat* seat : seats_) {
    if (seat->told_ || !seat->signal_) continue;
    seat->told_ = true;
    seat->signal_->notify();
  }
}

Seat::Seat(Feed& feed, Seq after) : feed_(feed), last_(after) {
  feed_.seats_.push_back(this);
}

Seat::~Seat() {
  auto& seats = feed_.seats_;
  const auto found = std::ranges::find(seats, this);
  *found = seats.back();
  seats.pop_back();
  feed_.hub_.left(feed_);
}

Seat::Look Seat::look() {
  told_ = false;
  const auto phase = feed_.phase();
  if (phase == Feed::Phase::unknown || phase == Feed::Phase::unavailable) return {Kind::failed, {}};
  const Sequence& sequence = feed_.sequence();
  const Tail& tail = sequence.tail();
  if (!sequence.based()) return {};
  if (placed_ && place_ < tail.start()) placed_ = false;
  if (!placed_) {
    if (last_ > tail.last()) return {sequence.ended() ? Kind::over : Kind::nothing, {}};
    if (last_ < tail.base()) {
      const bool far = live_ && tail.end().byte > place_.byte + limits::reader_bytes_max;
      return {far ? Kind::too_slow : Kind::behind, {}};
    }
    place_ = tail.find(last_);
    placed_ = live_ = true;
  }
  if (auto slice = tail.from(place_)) return {Kind::frames, std::move(*slice)};
  return {sequence.ended() ? Kind::over : Kind::nothing, {}};
}

void Seat::took(const Tail::Slice& slice) {
  place_ = slice.next;
  last_ = slice.last;
}

void Seat::took(const FramedPage& page) {
  place_.byte += page.frames.size();
  place_.event += page.events;
  last_ = page.last;
}

void Seat::skip_to(Seq seq) {
  last_ = std::max(last_, seq);
  placed_ = false;
}

bool Seat::past_end() const {
  return job_ended() && last_ >= feed_.sequence().last();
}

}  // namespace millrace::relay
