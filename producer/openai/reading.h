#pragma once
#include <memory>
#include <string>

#include "producer/openai/fold.h"
#include "producer/relay/hub.h"

namespace millrace::openai {

/// One client's way through a job's events, from the beginning of the log: what the relay has for
/// it goes through the fold, and waits here to be sent. The hub outlives it.
class Reading {
 public:
  Reading(relay::Hub& hub, std::unique_ptr<relay::Seat> seat, std::unique_ptr<Fold> fold)
      : hub_(hub), seat_(std::move(seat)), fold_(std::move(fold)) {}

  enum class Went : std::uint8_t {
    on,    ///< look at `unsent`, then here again
    idle,  ///< wait for the wake-up
    away,  ///< the log does not answer: try again in a moment
    over,  ///< nothing more comes
  };
  /// Takes what comes next.
  Task<Went> take_next();

  const Fold& fold() const { return *fold_; }
  std::string& unsent() { return unsent_; }
  /// Events in `unsent`, for the metrics.
  std::uint64_t take_count() { return std::exchange(events_, 0); }
  void wake_with(Signal* signal) { seat_->wake_with(signal); }

 private:
  void take(std::string_view frames);

  relay::Hub& hub_;
  std::unique_ptr<relay::Seat> seat_;
  std::unique_ptr<Fold> fold_;
  std::string unsent_;
  std::uint64_t events_ = 0;
};

}  // namespace millrace::openai
