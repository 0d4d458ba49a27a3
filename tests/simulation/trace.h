#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "shared/runtime/time.h"

namespace millrace::sim {

/// What happened in one run, in order: a hash over all of it, and the last of it as text. Two runs
/// of a seed are the same run when their hashes are.
class Trace {
 public:
  void add(Instant now, std::string_view who, std::string text) {
    const auto us =
        std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
    mix(static_cast<std::uint64_t>(us));
    for (const char c : who) mix(static_cast<unsigned char>(c));
    for (const char c : text) mix(static_cast<unsigned char>(c));
    ++count_;
    lines_.push_back({us, std::string(who), std::move(text)});
    if (lines_.size() > kept_ && kept_ > 0) lines_.pop_front();
  }
  void keep(std::size_t lines) { kept_ = lines; }

  std::uint64_t hash() const { return hash_; }
  std::uint64_t count() const { return count_; }
  /// The last events, a line each: seconds, who, what.
  std::string last() const {
    std::string text;
    for (const auto& line : lines_) {
      std::string at = std::to_string(line.us / 1000);
      at.insert(at.size() > 3 ? at.size() - 3 : 0, ".");
      at.resize(std::max<std::size_t>(at.size(), 10), ' ');
      text += at + line.who + std::string(line.who.size() < 10 ? 10 - line.who.size() : 1, ' ') +
              line.text + "\n";
    }
    return text;
  }

 private:
  struct Line {
    std::int64_t us;
    std::string who;
    std::string text;
  };
  void mix(std::uint64_t value) { hash_ = (hash_ ^ value) * 1099511628211ULL; }  // FNV-1a

  std::uint64_t hash_ = 14695981039346656037ULL;
  std::uint64_t count_ = 0;
  std::size_t kept_ = 40;
  std::deque<Line> lines_;
};

}  // namespace millrace::sim
