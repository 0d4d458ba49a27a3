#include "shared/kafka/offset_tracker.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "shared/runtime/limits.h"

namespace millrace::kafka {
namespace {

constexpr std::int64_t ring_bits = 1 << 20;
constexpr std::int64_t word_bits = 64;
static_assert(ring_bits > limits::offset_window,
              "what was fetched before fetching paused must still fit");
constexpr std::string_view hint_mark = "m1;";

std::size_t word_of(std::int64_t offset) {
  return static_cast<std::size_t>((offset & (ring_bits - 1)) / word_bits);
}
std::uint64_t bit_of(std::int64_t offset) {
  return 1ULL << (offset & (word_bits - 1));
}

/// Takes a decimal number of at most `max` and the mark behind it off the front of the text.
std::optional<std::int64_t> take_number(std::string_view& text, std::int64_t max, char mark) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0 || number > max) return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.starts_with(mark)) return {};
  text.remove_prefix(1);
  return number;
}

}  // namespace

OffsetTracker::OffsetTracker(std::int64_t next)
    : ring_(ring_bits / word_bits), position_(next), seen_(next) {}

bool OffsetTracker::in_hand(std::int64_t offset) const {
  if (offset < position_) return false;
  if (offset >= position_ + ring_bits) return far_.contains(offset);
  return (ring_[word_of(offset)] & bit_of(offset)) != 0;
}

void OffsetTracker::hold(std::int64_t offset) {
  if (offset >= position_ + ring_bits) {
    far_.insert(offset);
  } else {
    ring_[word_of(offset)] |= bit_of(offset);
    ++in_ring_;
  }
}

bool OffsetTracker::take(std::int64_t offset) {
  if (offset < seen_) return in_hand(offset);
  while (hint_next_ < hinted_.size() && hinted_[hint_next_].end <= offset) ++hint_next_;
  const bool finished = hint_next_ < hinted_.size() && hinted_[hint_next_].begin <= offset;
  seen_ = offset + 1;
  // With nothing in hand the position follows the gap, so that a far offset lands in the ring.
  if (!finished && unfinished() == 0 && position_ != offset) {
    position_ = offset;
    moved_ = true;
  }
  if (!finished) hold(offset);
  advance();
  return !finished;
}

void OffsetTracker::finish(std::int64_t offset) {
  if (!in_hand(offset)) return;
  if (far_.erase(offset) == 0) {
    ring_[word_of(offset)] &= ~bit_of(offset);
    --in_ring_;
  }
  moved_ = true;
  if (offset == position_) advance();
}

void OffsetTracker::advance() {
  const auto before = position_;
  if (in_ring_ > 0) {
    position_ = find(true, position_, position_ + ring_bits);
  } else if (!far_.empty()) {
    position_ = *far_.begin();
  } else {
    while (hint_next_ < hinted_.size() && hinted_[hint_next_].begin <= seen_) {
      seen_ = std::max(seen_, hinted_[hint_next_].end);
      ++hint_next_;
    }
    position_ = seen_;
  }
  while (!far_.empty() && *far_.begin() < position_ + ring_bits) {
    hold(*far_.begin());
    far_.erase(far_.begin());
  }
  if (position_ != before) moved_ = true;
}

std::int64_t OffsetTracker::find(bool held, std::int64_t from, std::int64_t to) const {
  while (from < to) {
    const auto word = held ? ring_[word_of(from)] : ~ring_[word_of(from)];
    const auto rest = word >> (from & (word_bits - 1));
    if (rest != 0) return std::min(to, from + std::countr_zero(rest));
    from = (from | (word_bits - 1)) + 1;
  }
  return to;
}

std::string OffsetTracker::hint(std::size_t bytes_max) const {
  auto text = std::string(hint_mark) + std::to_string(position_) + ';';
  auto told = position_;  // where the last run ended
  bool any = false;
  const auto add = [&](std::int64_t begin, std::int64_t end) {
    const auto run = std::to_string(begin - told) + '+' + std::to_string(end - begin) + ',';
    if (text.size() + run.size() + 1 > bytes_max) return false;
    text += run;
    told = end;
    any = true;
    return true;
  };
  const auto window_end = position_ + ring_bits;
  const auto seen_end = std::min(seen_, window_end);
  bool fits = true;
  for (auto at = find(false, position_, seen_end); fits && at < seen_end;) {
    const auto end = find(true, at, seen_end);
    fits = add(at, end);
    at = find(false, end, seen_end);
  }
  // A hint that was taken over and whose offsets have not come by is still true.
  for (auto i = hint_next_; fits && i < hinted_.size(); ++i) {
    const auto begin = std::max(hinted_[i].begin, seen_);
    const auto end = std::min(hinted_[i].end, window_end);
    if (begin < end) fits = add(begin, end);
  }
  return any ? text + '.' : std::string();
}

std::optional<OffsetTracker::Hint> OffsetTracker::read(std::string_view text) {
  if (!text.starts_with(hint_mark)) return {};
  text.remove_prefix(hint_mark.size());
  const auto position = take_number(text, INT64_MAX - ring_bits, ';');
  if (!position) return {};
  Hint hint{.position = *position, .runs = {}};
  const auto window_end = hint.position + ring_bits;
  for (auto at = hint.position; text != ".";) {
    const auto apart = take_number(text, window_end - at, '+');
    if (!apart) return {};
    at += *apart;
    const auto finished = take_number(text, window_end - at, ',');
    if (!finished) return {};
    hint.runs.push_back({at, at + *finished});
    at += *finished;
  }
  return hint;
}

void OffsetTracker::apply_hint(std::string_view hint) {
  if (unfinished() > 0 || !hinted_.empty()) return;
  auto told = read(hint);
  if (!told || told->position != position_) return;
  hinted_ = std::move(told->runs);
  advance();
}

std::int64_t OffsetTracker::finished_in(std::string_view metadata) {
  const auto told = read(metadata.substr(std::min(metadata.size(), metadata.find(hint_mark))));
  std::int64_t count = 0;
  if (told) {
    for (const auto& run : told->runs) count += run.end - run.begin;
  }
  return count;
}

bool OffsetTracker::full() const {
  return seen_ - position_ >= limits::offset_window || !far_.empty();
}

}  // namespace millrace::kafka
