#pragma once
#include <string_view>
#include <vector>

#include "producer/relay/sequence.h"
#include "shared/event_log.h"
#include "shared/runtime/signal.h"

namespace millrace::relay {

class Hub;
class Seat;

/// One job as the hub follows it for all its readers: the watch on the log, the events in order,
/// and who reads them. Owned by the hub, which does its I/O; lives while anybody sits in it, and
/// a moment longer.
class Feed final : public LogWatcher {
 public:
  enum class Phase : std::uint8_t {
    opening,      ///< nobody has answered yet
    open,         ///< the job exists
    unknown,      ///< neither log nor Store knows it
    unavailable,  ///< the log does not answer, and the Store cannot tell
  };

  Feed(Hub& hub, Clock& clock, const JobId& id, Seq first_after);

  void on_lines(std::string_view lines) noexcept override;
  void on_uncertain() noexcept override;

  const JobId& id() const { return sequence_.id(); }
  Phase phase() const { return phase_; }
  const Sequence& sequence() const { return sequence_; }
  /// Whose job it is; empty until it is open.
  const std::string& tenant() const { return tenant_; }

 private:
  friend class Hub;
  friend class Seat;

  /// Tells every reader, each once until it looks.
  void wake();

  Hub& hub_;
  Clock& clock_;
  Sequence sequence_;
  std::vector<Seat*> seats_;
  Signal changed_;       ///< the phase, or that the subscription stands
  Seq first_after_;      ///< where the first reader wants to begin
  Instant heard_at_;     ///< last news of any kind: live, read or checked
  Instant empty_since_;  ///< no reader since
  std::string tenant_;
  Phase phase_ = Phase::opening;
  bool subscribed_ = false;
  bool awaited_ = false;  ///< the read waits for the subscription
  bool reading_ = false;  ///< the log is being read for this feed
  bool again_ = false;    ///< and must be once more
  bool overdue_ = false;  ///< a read failed: try again
};

/// One reader's place in a job's events: a cursor into the tail that all share, or a number
/// after which the log must be read. Leaving it keeps nothing behind. The hub outlives it.
class Seat {
 public:
  Seat(Feed& feed, Seq after);
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat();

  enum class Kind : std::uint8_t {
    frames,    ///< `slice` can be written; then `took`
    behind,    ///< the tail begins later: `Hub::fetch`, write, `took`
    too_slow,  ///< live events ran away by more than `limits::reader_bytes_max`
    over,      ///< the terminal event has been taken
    nothing,   ///< wait for the wake-up
    failed,    ///< the feed never opened: see `phase`
  };
  struct Look {
    Kind kind = Kind::nothing;
    Tail::Slice slice;
  };
  /// What comes next for this reader.
  Look look();
  void took(const Tail::Slice& slice);
  void took(const FramedPage& page);
  /// Goes on behind `seq`, whatever lies between was told in another way.
  void skip_to(Seq seq);

  /// Notified when `look` may have something new. Null: nobody waits.
  void wake_with(Signal* signal) { signal_ = signal; }

  const JobId& id() const { return feed_.id(); }
  const std::string& tenant() const { return feed_.tenant(); }
  Seq last() const { return last_; }
  Tail::Place place() const { return place_; }
  Feed::Phase phase() const { return feed_.phase(); }
  /// True when the job has ended and its terminal event is not after `last()`.
  bool past_end() const;
  /// True when the job has ended, whether or not this reader has got so far.
  bool job_ended() const { return feed_.sequence().ended(); }
  /// The last event that the tail has, but for the terminal one.
  Seq last_before_end() const { return feed_.sequence().last() - (job_ended() ? 1 : 0); }

 private:
  friend class Feed;
  friend class Hub;

  Feed& feed_;
  Signal* signal_ = nullptr;
  Tail::Place place_;
  Seq last_;
  bool placed_ = false;  ///< `place_` is exact
  bool live_ = false;    ///< has been in the tail: from now on falling behind is counted
  bool told_ = false;
};

}  // namespace millrace::relay
