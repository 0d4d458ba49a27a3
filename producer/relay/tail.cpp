#include "producer/relay/tail.h"

#include <algorithm>
#include <cassert>

namespace millrace::relay {
namespace {
constexpr std::size_t first_block_bytes = 256;  // an idle job has little to say
}  // namespace

char* Tail::room_for(std::size_t bytes) {
  if (blocks_.empty() || blocks_.back()->capacity - blocks_.back()->used < bytes) {
    const auto grown = blocks_.empty() ? first_block_bytes : 2 * blocks_.back()->capacity;
    auto block = std::make_shared<Block>();
    block->capacity = std::max(bytes, std::min(grown, tail_block_bytes_max));
    block->bytes = std::make_unique_for_overwrite<char[]>(block->capacity);
    block->start = end_;
    block->before = block->last = last_;
    blocks_.push_back(std::move(block));
  }
  return blocks_.back()->bytes.get() + blocks_.back()->used;
}

void Tail::took(std::size_t bytes) {
  blocks_.back()->used += bytes;
  blocks_.back()->last = last_;
  bytes_ += bytes;
  end_.byte += bytes;
  ++end_.event;
  while (bytes_ > tail_bytes_max && blocks_.size() > 1) {
    bytes_ -= blocks_.front()->used;
    base_ = blocks_.front()->last;
    blocks_.erase(blocks_.begin());
  }
}

void Tail::append(const EventLine& event) {
  assert(event.seq > last_);
  const auto bytes = made_.size() + frame_bytes(event);
  write_frame(std::ranges::copy(made_, room_for(bytes)).out, event);
  last_ = event.seq;
  if (!made_.empty()) ++end_.event;
  made_.clear();
  took(bytes);
}

void Tail::restart(Seq base) {
  blocks_.clear();
  made_.clear();
  bytes_ = 0;
  base_ = last_ = base;
  ++end_.byte;  // so that a place at the old end is behind, too
}

Tail::Place Tail::find(Seq after) const {
  assert(base_ <= after && after <= last_);
  if (after == last_) return end_;
  // The block that holds `after` itself: a made gap may stand between it and the next block.
  auto block = blocks_.rbegin();
  while ((*block)->before >= after && std::next(block) != blocks_.rend()) ++block;
  Place place = (*block)->start;
  Place passed = place;
  std::string_view rest((*block)->bytes.get(), (*block)->used);
  Frame frame;
  while (next_frame(rest, frame) && frame.seq.value_or(0) <= after) {
    passed.byte += frame.whole.size();
    ++passed.event;
    // A made gap belongs to the event after it, but to a reader who has seen beyond it it is none.
    if (frame.seq || gap_end(frame) <= after) place = passed;
  }
  return place;
}

std::optional<Tail::Slice> Tail::from(Place place) const {
  assert(start() <= place);
  if (place.byte >= end_.byte) return std::nullopt;
  auto found = blocks_.rbegin();
  while ((*found)->start.byte > place.byte) ++found;
  const Block& block = **found;
  const auto skip = place.byte - block.start.byte;
  const auto next = found == blocks_.rbegin() ? end_ : (*std::prev(found))->start;
  return Slice{.hold = *found,
               .frames = std::string_view(block.bytes.get() + skip, block.used - skip),
               .next = next,
               .last = block.last};
}

}  // namespace millrace::relay
