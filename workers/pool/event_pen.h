#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/event_log.h"
#include "shared/runtime/nursery.h"
#include "workers/llm/chat_model.h"
#include "workers/pool/lease.h"

namespace millrace {

/// Hears what the log says to a holder beside "written". Called on the loop, must not block.
class PenOwner {
 public:
  virtual ~PenOwner() = default;
  virtual void on_cancel_wanted() noexcept = 0;
  /// Nothing more will be written: `fenced`, the job is somebody else's; `unavailable`, the log
  /// was away for `limits::held_event_time_max`.
  virtual void on_pen_stopped(Errc why) noexcept = 0;
  /// So many events have been written, together.
  virtual void on_written(std::uint32_t) noexcept {}
};

/// Writes one job's events under its lease: numbers them, serialises each once, and is the only
/// one of this job that talks to the log, one command at a time. What is written while a command
/// is under way leaves together in the next; when nothing is under way, at once.
///
/// A command without an answer is repeated as it was until it has one; a log that lost the record
/// is begun again and told `gap` and `snapshot`. Holds about `limits::held_event_bytes_max` bytes
/// (one model chunk more at most), for `limits::held_event_time_max` at most. One loop; `close`
/// before it goes.
class EventPen final : public TextSink {
 public:
  /// The references and `worker` outlive the pen.
  EventPen(EventLog& log, Clock& clock, const Job& job, std::string_view worker, Token token,
           PenOwner& owner);

  /// What was before this run, as far as is known without the log.
  enum class Before : std::uint8_t {
    nothing,
    perhaps,  ///< the job may have been begun
    run,      ///< it has been, and may have spoken
  };
  /// Takes the lease, and nothing else. An answer that was lost is asked for again a few times,
  /// for a lease taken unknowingly would count as a lost run.
  Task<Result<Begun>> take_lease(Before before);
  /// Takes the lease, before anything is written.
  Task<Result<Begun>> begin(Before before);
  /// What earlier runs said, as the log has it, and this one goes on from. Where the log lost
  /// events, readers are told of the `gap` now, and to hold exactly this.
  /// `aside`: also something beside the text.
  void resume_after(std::string text, bool aside = false);

  void started(std::uint32_t attempt);
  void status(std::string_view message);
  /// Cuts a piece that is too long for one event.
  void delta(std::string_view piece);
  /// What is said beside the text, cut in the same way.
  void aside(Aside kind, std::string_view piece);
  /// Readers discard what came after `to`; the text begins anew.
  void rewind(Seq to);
  /// Ends the log. `text_differs`: the outcome is another's, readers get its text first.
  void end(const Outcome& outcome, bool text_differs);
  /// Gives the lease back with the next write: `retrying` or `queued`.
  void give_back(JobState state, std::string_view message);
  /// Keeps the lease when nothing is being written.
  void renew();

  /// Waits until all is written, or certainly will not be.
  Task<Result<>> written();
  /// Renews first where too little of the lease is left to begin something. False: do not begin.
  Task<bool> may_act();
  /// Once the pen has stopped because the log was away: waits for the log, however long, and
  /// gives the lease back as `queued`. What had not been written stays unsaid.
  Task<> leave_when_back(std::string_view message);
  /// Stops writing and waits for the command under way.
  Task<> close();

  /// What readers hold once all is written.
  const std::string& text() const { return text_; }
  const Lease& lease() const { return lease_; }
  /// Something beside the text has been said, which no run can go on from.
  bool spoke_aside() const { return spoke_aside_; }
  /// When the model began to speak.
  std::optional<Instant> first_text() const { return first_text_; }
  bool stopped() const { return stopped_.has_value(); }
  bool fenced() const { return stopped_ == Errc::fenced; }

  bool on_text(std::string_view piece) override;
  bool on_aside(Aside kind, std::string_view piece) override;
  Task<> ready() override;

 private:
  Task<Result<Begun>> ask_lease(Seq known, bool begun_before);

  /// Events that leave in one append; repeated as they are until that is answered.
  struct Batch {
    std::string lines;
    Seq after = 0;
    std::uint32_t count = 0;
    std::optional<JobState> state;
  };

  /// Where the next event goes, whose text has about this many bytes.
  Batch& waiting_batch(std::size_t text_bytes);
  EventWriter::At number(Batch& batch);
  void wrote(const Batch& batch, std::size_t bytes_before);
  void keep_writing();
  Task<> write();
  Task<> append();
  Task<> begin_again();
  Task<> back_off();
  void confirm();
  void say_all_again();
  void start_over_after(const Begun& begun);
  void stop(Errc why);
  bool all_written() const { return !sending_ && waiting_.empty() && !lost_; }
  bool full() const;

  EventLog& log_;
  Clock& clock_;
  const Job& job_;
  std::string_view worker_;
  PenOwner& owner_;
  Lease lease_;
  EventWriter events_;

  std::string text_;
  bool spoke_aside_ = false;
  std::vector<Batch> waiting_;
  std::optional<Batch> sending_;
  std::string spare_;  ///< the buffer written last, kept for the next batch
  std::size_t held_bytes_ = 0;
  Seq numbered_ = 0;                  ///< the last number given
  Seq confirmed_ = 0;                 ///< the last number the log is known to have
  const Outcome* outcome_ = nullptr;  ///< how the log ends, once that is known
  std::optional<JobState> given_back_;
  std::optional<Begun> gap_;  ///< found by `begin`, not told yet

  std::optional<Instant> first_text_;
  bool writing_ = false;
  bool renew_wanted_ = false;
  bool lost_ = false;  ///< the log has no record, or not up to `confirmed_`
  bool left_ = false;  ///< the lease has been given up in order
  std::optional<Errc> stopped_;
  std::optional<Instant> away_since_;
  std::uint32_t failures_ = 0;  ///< without an answer, in a row
  std::uint32_t losses_ = 0;    ///< of the record, since something was written
  Signal progress_;             ///< something was written, or nothing will be
  Nursery writer_;
};

}  // namespace millrace
