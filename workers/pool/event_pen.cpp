#include "workers/pool/event_pen.h"

#include <boost/asio/post.hpp>

#include "shared/runtime/json_text.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/log.h"

namespace millrace {
namespace {
/// Longer pieces become several events, so that an append always fits its limit.
constexpr std::size_t piece_bytes_max = 32 * 1024;
static_assert(6 * piece_bytes_max < limits::append_bytes_max, "even when every byte is escaped");

/// The model stops reading here, so that what curl still holds of it also fits.
constexpr std::size_t full_at_bytes = limits::held_event_bytes_max * 3 / 4;

constexpr Duration retry_first = 50ms;
constexpr Duration retry_max = 1s;
/// How often a `begin` without an answer is asked in a row; each takes a time-out.
constexpr std::uint32_t begin_tries_max = 5;
/// A log that has no record right after it was begun will not keep one.
constexpr std::uint32_t losses_in_a_row_max = 5;
}  // namespace

EventPen::EventPen(EventLog& log, Clock& clock, const Job& job, std::string_view worker,
                   Token token, PenOwner& owner)
    : log_(log),
      clock_(clock),
      job_(job),
      worker_(worker),
      owner_(owner),
      lease_(token),
      events_(job.id, job.created_at),
      progress_(clock),
      writer_(clock) {}

Task<Result<Begun>> EventPen::take_lease(Before before) {
  const auto begun = co_await ask_lease(0, before != Before::nothing);
  const bool unbegun = begun && begun->outcome == Begun::Outcome::granted &&
                       begun->state == JobState::queued && begun->last <= 1 && !begun->gap_from;
  if (before != Before::run || !unbegun) co_return begun;
  // The log was lost, and an `accept` that came late has made a record that knows of no run.
  co_return co_await ask_lease(begun->last + 1, true);
}

Task<Result<Begun>> EventPen::ask_lease(Seq known, bool begun_before) {
  const BeginRequest request{.job = job_,
                             .token = lease_.token(),
                             .worker = worker_,
                             .known = known,
                             .begun_before = begun_before};
  for (std::uint32_t tries = 1;; ++tries) {
    const Instant sent = clock_.now();
    const auto begun = co_await log_.begin(request);
    if (begun && begun->outcome == Begun::Outcome::granted) lease_.granted(sent);
    const bool unclear = !begun && begun.error() == Errc::timed_out;
    if (!unclear || tries == begin_tries_max) co_return begun;
  }
}

Task<Result<Begun>> EventPen::begin(Before before) {
  const auto begun = co_await take_lease(before);
  if (!begun || begun->outcome != Begun::Outcome::granted) co_return begun;
  numbered_ = confirmed_ = begun->last;
  if (begun->gap_from) gap_ = *begun;
  co_return begun;
}

void EventPen::resume_after(std::string text, bool aside) {
  text_ = std::move(text);
  spoke_aside_ = aside;
  if (!gap_) return;
  // What readers hold is not known: they may have read what is lost.
  start_over_after(*std::exchange(gap_, std::nullopt));
  say_all_again();
}

// --- what is written ---------------------------------------------------------------------------

EventPen::Batch& EventPen::waiting_batch(std::size_t text_bytes) {
  const bool fits = !waiting_.empty() && waiting_.back().count < limits::append_events_max &&
                    waiting_.back().lines.size() + 6 * text_bytes < limits::append_bytes_max;
  if (!fits) {
    Batch& batch = waiting_.emplace_back();
    batch.lines = std::move(spare_);
    batch.lines.clear();
    batch.after = numbered_;
  }
  return waiting_.back();
}

EventWriter::At EventPen::number(Batch& batch) {
  ++batch.count;
  return {.seq = ++numbered_, .now = clock_.wall()};
}

void EventPen::wrote(const Batch& batch, std::size_t bytes_before) {
  held_bytes_ += batch.lines.size() - bytes_before;
  keep_writing();
}

void EventPen::started(std::uint32_t attempt) {
  Batch& batch = waiting_batch(0);
  const std::size_t before = batch.lines.size();
  events_.started(batch.lines, number(batch), attempt, worker_);
  wrote(batch, before);
}

void EventPen::status(std::string_view message) {
  Batch& batch = waiting_batch(0);
  const std::size_t before = batch.lines.size();
  events_.status(batch.lines, number(batch), cut_utf8(message, piece_bytes_max));
  wrote(batch, before);
}

void EventPen::delta(std::string_view piece) {
  while (!piece.empty()) {
    const std::string_view part = cut_utf8(piece, piece_bytes_max);
    Batch& batch = waiting_batch(part.size());
    const std::size_t before = batch.lines.size();
    events_.delta(batch.lines, number(batch), part);
    wrote(batch, before);
    text_ += part;
    piece.remove_prefix(part.size());
  }
}

void EventPen::aside(Aside kind, std::string_view piece) {
  spoke_aside_ = spoke_aside_ || !piece.empty();
  while (!piece.empty()) {
    const std::string_view part = cut_utf8(piece, piece_bytes_max);
    Batch& batch = waiting_batch(part.size());
    const std::size_t before = batch.lines.size();
    events_.aside(batch.lines, number(batch), kind, part);
    wrote(batch, before);
    piece.remove_prefix(part.size());
  }
}

void EventPen::rewind(Seq to) {
  Batch& batch = waiting_batch(0);
  const std::size_t before = batch.lines.size();
  events_.rewind(batch.lines, number(batch), to);
  wrote(batch, before);
  text_.clear();
  spoke_aside_ = false;
}

void EventPen::end(const Outcome& outcome, bool text_differs) {
  if (gap_) resume_after({});
  if (text_differs) {
    rewind(0);
    delta(outcome.text);
  }
  outcome_ = &outcome;
  // A done event repeats the whole text: a long one leaves alone, above the limit of others. Tools
  // to call are in the same batch, so that they are told once and never without it.
  std::size_t bytes = outcome.text.size();
  for (const auto& call : outcome.tool_calls)
    bytes += 2 * (call.name.size() + call.arguments.size());
  Batch& batch = waiting_batch(bytes);
  const std::size_t before = batch.lines.size();
  for (const auto& call : outcome.tool_calls) events_.tool_call(batch.lines, number(batch), call);
  events_.terminal(batch.lines, number(batch), outcome);
  batch.state = outcome.state;
  wrote(batch, before);
}

void EventPen::give_back(JobState state, std::string_view message) {
  if (gap_) resume_after({});
  given_back_ = state;
  status(message);
  waiting_.back().state = state;
}

void EventPen::renew() {
  if (left_ || stopped_) return;
  renew_wanted_ = true;
  keep_writing();
}

bool EventPen::full() const {
  return away_since_.has_value() || held_bytes_ >= full_at_bytes;
}

bool EventPen::on_text(std::string_view piece) {
  if (!first_text_) first_text_ = clock_.now();
  delta(piece);
  return !full();
}

bool EventPen::on_aside(Aside kind, std::string_view piece) {
  if (!first_text_) first_text_ = clock_.now();
  aside(kind, piece);
  return !full();
}

Task<> EventPen::ready() {
  while (full() && !stopped_) co_await progress_.wait();
}

Task<Result<>> EventPen::written() {
  while (!all_written() && !stopped_) co_await progress_.wait();
  if (stopped_ && !left_) co_return Failure(*stopped_);
  co_return Result<>{};
}

Task<bool> EventPen::may_act() {
  if (!stopped_ && !lease_.may_act(clock_.now())) renew();
  while (!stopped_ && !lease_.may_act(clock_.now())) co_await progress_.wait();
  co_return !stopped_;
}

Task<> EventPen::leave_when_back(std::string_view message) {
  const BeginRequest request{.job = job_,
                             .token = lease_.token(),
                             .worker = worker_,
                             .known = confirmed_,
                             .begun_before = true};
  auto begun = co_await log_.begin(request);
  while (!begun && retryable(begun.error())) {
    co_await clock_.sleep_for(retry_max);
    begun = co_await log_.begin(request);
  }
  if (!begun || begun->outcome != Begun::Outcome::granted) co_return;
  sending_.reset();
  waiting_.clear();
  held_bytes_ = 0;
  lost_ = false;
  away_since_.reset();
  stopped_.reset();
  numbered_ = confirmed_ = begun->last;
  if (begun->gap_from) {
    start_over_after(*begun);
    rewind(0);
  }
  give_back(JobState::queued, message);
  (void)co_await written();
}

Task<> EventPen::close() {
  writer_.stop();
  co_await writer_.join();
}

// --- how it is written -------------------------------------------------------------------------

void EventPen::keep_writing() {
  if (writing_ || stopped_) return;
  writing_ = true;
  writer_.start(write());
}

Task<> EventPen::write() {
  // What one read of the upstream brought leaves together: the loop comes here after it.
  co_await asio::post(clock_.loop(), use_task);
  while (!stopped_) {
    if (lost_) {
      co_await begin_again();
    } else if (sending_ || !waiting_.empty()) {
      co_await append();
    } else if (renew_wanted_) {
      co_await begin_again();
    } else {
      break;
    }
  }
  writing_ = false;
  progress_.notify();
}

Task<> EventPen::append() {
  if (!sending_) {
    sending_ = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
  }
  const Instant sent = clock_.now();
  const AppendRequest request{.id = job_.id,
                              .token = lease_.token(),
                              .expected = sending_->after,
                              .count = sending_->count,
                              .lines = sending_->lines,
                              .state = sending_->state,
                              .renew = renew_wanted_ || lease_.renewal_due(sent)};
  const auto appended = co_await log_.append(request);
  if (appended) {
    if (request.renew) {
      lease_.granted(sent);
      renew_wanted_ = false;
    }
    confirm();
    if (appended->cancel_wanted) owner_.on_cancel_wanted();
  } else if (appended.error() == Errc::lost) {
    lost_ = true;
    if (losses_++ >= losses_in_a_row_max) stop(Errc::unavailable);
  } else if (retryable(appended.error())) {
    co_await back_off();
  } else {
    stop(appended.error());
  }
}

void EventPen::confirm() {
  away_since_.reset();
  failures_ = losses_ = 0;
  confirmed_ = sending_->after + sending_->count;
  if (sending_->count > 0) owner_.on_written(sending_->count);
  left_ = left_ || sending_->state.has_value();
  held_bytes_ -= sending_->lines.size();
  if (sending_->lines.capacity() > spare_.capacity()) spare_ = std::move(sending_->lines);
  sending_.reset();
  progress_.notify();
}

Task<> EventPen::begin_again() {
  const BeginRequest request{.job = job_,
                             .token = lease_.token(),
                             .worker = worker_,
                             .known = confirmed_,
                             .begun_before = true};
  const Instant sent = clock_.now();
  const auto begun = co_await log_.begin(request);
  if (!begun) {
    if (retryable(begun.error())) {
      co_await back_off();
    } else {
      stop(begun.error());
    }
    co_return;
  }
  if (begun->outcome != Begun::Outcome::granted) {
    stop(Errc::fenced);
    co_return;
  }
  lease_.granted(sent);
  renew_wanted_ = false;
  lost_ = false;
  away_since_.reset();
  failures_ = 0;
  if (begun->gap_from) {
    log::warn("event_log_lost_tail", {{"job", job_.id.str()}, {"from", *begun->gap_from}});
    start_over_after(*begun);
    say_all_again();
    if (outcome_) end(*outcome_, false);
    if (given_back_) give_back(*given_back_, "handed over");
  } else if (sending_ && begun->last == sending_->after + sending_->count) {
    confirm();  // only the answer had been lost
  }
  if (begun->cancel_wanted) owner_.on_cancel_wanted();
  progress_.notify();
}

/// Whatever readers hold, by whomever it was said, they hold exactly the text from here on.
void EventPen::say_all_again() {
  if (text_.empty()) {
    rewind(0);
    return;
  }
  if (text_.size() > piece_bytes_max) {  // too long for one event: the same, said in pieces
    const std::string text = std::exchange(text_, {});
    rewind(0);
    delta(text);
    return;
  }
  Batch& batch = waiting_batch(text_.size());
  const std::size_t before = batch.lines.size();
  const Seq upto = numbered_;
  events_.snapshot(batch.lines, number(batch), text_, upto);
  wrote(batch, before);
}

/// What was not yet written is in the text, so it is dropped: the numbers it had are gone.
void EventPen::start_over_after(const Begun& begun) {
  sending_.reset();
  waiting_.clear();
  held_bytes_ = 0;
  numbered_ = confirmed_ = begun.last;
  Batch& batch = waiting_batch(0);
  const std::size_t before = batch.lines.size();
  events_.gap(batch.lines, number(batch), *begun.gap_from, begun.last);
  wrote(batch, before);
}

Task<> EventPen::back_off() {
  const Instant now = clock_.now();
  if (!away_since_) away_since_ = now;
  if (now - *away_since_ >= limits::held_event_time_max) {
    stop(Errc::unavailable);
    co_return;
  }
  const Duration wait = std::min(retry_first * (1u << std::min(failures_++, 8u)), retry_max);
  co_await clock_.sleep_for(wait);
}

void EventPen::stop(Errc why) {
  stopped_ = why;
  progress_.notify();
  owner_.on_pen_stopped(why);
}

}  // namespace millrace
