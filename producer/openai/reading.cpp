#include "producer/openai/reading.h"

#include "producer/openai/chat_failure.h"

namespace millrace::openai {

using relay::Seat;

Task<Reading::Went> Reading::take_next() {
  if (fold_->over()) co_return Went::over;
  const auto look = seat_->look();
  switch (look.kind) {
    case Seat::Kind::frames:
      take(look.slice.frames);
      seat_->took(look.slice);
      co_return Went::on;
    case Seat::Kind::behind: {
      const auto page = co_await hub_.fetch(*seat_);
      if (!page) co_return Went::away;
      seat_->took(*page);
      take(page->frames);
      co_return Went::on;
    }
    case Seat::Kind::nothing:
      co_return Went::idle;
    default:
      // Too far behind, or nobody knows the job any more: no end without a word.
      fold_->fail(stream_lost(), unsent_);
      co_return Went::on;
  }
}

void Reading::take(std::string_view frames) {
  relay::Frame frame;
  while (relay::next_frame(frames, frame)) {
    fold_->take(frame.type, frame.seq.value_or(0), frame.data, unsent_);
    ++events_;
  }
}

}  // namespace millrace::openai
