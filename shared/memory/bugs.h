#pragma once

namespace millrace::memory {

/// Mistakes these adapters can be told to make, so that a simulation can prove that it would
/// notice them. All off but for `simulate --planted`.
struct Bugs {
  bool missing_fence = false;            ///< append takes any token
  bool repeat_appends_again = false;     ///< an append sent twice is written twice
  bool numbers_start_over = false;       ///< after a loss events are numbered from 1 again
  bool gap_is_not_told = false;          ///< begin after a loss says nothing of it
  bool no_renewal = false;               ///< begin by the holder does not prolong its lease
  bool cancel_wakes_nobody = false;      ///< the wish to cancel is neither kept nor told
  bool last_finish_wins = false;         ///< an outcome replaces the one that stands
  bool finish_is_late = false;           ///< finish answers first and is written later
  bool end_is_forgotten = false;         ///< begin does not say that the job has ended
  bool accepts_before_stored = false;    ///< enqueue answers before the record is there
  bool commits_when_handed_out = false;  ///< a delivery counts as finished from its start
  bool retry_is_dropped = false;         ///< a retry counts as done
  bool retry_frees_its_key = false;      ///< the next of the key runs while a retry waits
  bool put_off_sleeps_on = false;        ///< nobody wakes a delivery that was put off
};

}  // namespace millrace::memory
