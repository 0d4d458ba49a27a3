#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>

#include "shared/runtime/clock.h"

namespace millrace {

/// Lets a job that may have killed its last workers run alone in the process, so that another
/// crash is certainly its own doing and takes nobody along. One a process, shared by its loops;
/// whoever has to wait looks again every `look_every`, for nobody waits in ordinary times. The log
/// tells when that begins and when it is over, for every other job waits meanwhile.
class QuietRoom {
 public:
  static constexpr Duration look_every = 20ms;

  /// Waits while somebody is, or wants to be, alone.
  Task<> enter(Clock& clock);
  void leave() { inside_.fetch_sub(1); }

  /// Waits for its turn and then until everybody else has left; nobody enters meanwhile.
  Task<> enter_alone(Clock& clock);
  void leave_alone();

 private:
  /// Jobs that run alone or wait for that, from the first to the last.
  class Suspects {
   public:
    void come();
    void tell();  ///< once all that came together have come
    void go(bool ran);

   private:
    std::mutex mutex_;
    std::uint32_t count_ = 0;
    std::uint32_t ran_ = 0;
    bool told_ = false;
  };
  struct Waiting;

  // Each side announces itself before it looks at the other, in one total order of all threads,
  // so of two that come at once at least one sees the other.
  std::atomic<std::uint32_t> inside_{0};
  std::atomic<bool> claimed_{false};
  Suspects suspects_;
};

}  // namespace millrace
