#pragma once
#include <string>

#include "producer/relay/many_jobs_stream.h"
#include "producer/relay/outlet.h"

namespace millrace::relay {

inline constexpr std::size_t merged_write_bytes = 64 * 1024;  ///< about; then it is written

/// The seats of one connection, drawn from in turn, and its cursor. Lives inside the coroutine
/// that streams, no longer than what it borrows.
class Merge {
 public:
  Merge(Hub& hub, Outlet& out) : hub_(hub), out_(out) {}

  void join(std::unique_ptr<Seat> seat);
  bool has(const JobId& id) const;
  std::size_t size() const { return seats_.size(); }
  bool overdue() const { return page_again_at_ > hub_.clock().now(); }
  /// When a page that could not be read is tried again; far away when all were.
  Instant page_again_at() const { return overdue() ? page_again_at_ : Instant::max(); }

  enum class Drawn { sent, nothing, over };
  /// Writes what is there, at most about `merged_write_bytes`. `over`: the reader has gone or
  /// was cut.
  Task<Drawn> draw();

  /// Jobs that left since this was asked last: their terminal event was sent, or nobody knows
  /// them any more.
  std::vector<JobId> take_left() { return std::exchange(left_, {}); }

 private:
  enum class Step { kept, left, cut };
  Task<Step> draw_from(Seat& seat);
  void add_frames(const JobId& id, std::string_view frames);

  Hub& hub_;
  Outlet& out_;
  Seats seats_;
  CursorText cursor_;
  std::vector<JobId> left_;
  std::string pending_;
  std::uint64_t pending_events_ = 0;
  std::size_t turn_ = 0;  ///< who is drawn from first
  Instant page_again_at_{};
};

}  // namespace millrace::relay
