#include "producer/relay/hub.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "shared/runtime/log.h"

namespace millrace::relay {
namespace {

bool runs_unheld(const std::optional<LogState>& state) {
  return state && state->state == JobState::running && !state->held;
}

}  // namespace

Hub::Hub(Clock& clock, EventLog& log, FindJob find, RelayMetrics& metrics)
    : clock_(clock), log_(log), find_(std::move(find)), metrics_(metrics), nursery_(clock) {}

Hub::~Hub() {
  while (!feeds_.empty()) drop(feeds_.begin()->first);
}

Task<> Hub::run() {
  nursery_.start(keep_watch());
  co_await nursery_.join();
}

// --- seats

Feed& Hub::feed_of(const JobId& id, Seq first_after) {
  auto& feed = feeds_[id];
  if (!feed) {
    feed = std::make_unique<Feed>(*this, clock_, id, first_after);
    ++empty_;
    add(metrics_.jobs_watched, 1);
    log_.watch(id, *feed);
    catch_up_soon(*feed);
  }
  return *feed;
}

std::unique_ptr<Seat> Hub::sit(const JobId& id, Seq after) {
  Feed& feed = feed_of(id, after);
  if (feed.seats_.empty()) --empty_;
  return std::make_unique<Seat>(feed, after);
}

Task<Result<>> Hub::opened(const Seat& seat) {
  Feed& feed = seat.feed_;
  const auto deadline = clock_.now() + 2 * limits::log_command_timeout + limits::store_timeout;
  while (feed.phase_ == Feed::Phase::opening && clock_.now() < deadline) {
    co_await feed.changed_.wait_until(deadline);
  }
  if (feed.phase_ == Feed::Phase::unknown) co_return Failure(Errc::not_found);
  if (feed.phase_ != Feed::Phase::open) co_return Failure(Errc::unavailable);
  co_return Result<>{};
}

Task<Result<std::unique_ptr<Seat>>> Hub::open(JobId id, Seq after) {
  auto seat = sit(id, after);
  const auto stands = co_await opened(*seat);
  if (!stands) co_return Failure(stands.error());
  co_return std::move(seat);
}

void Hub::left(Feed& feed) {
  if (!feed.seats_.empty()) return;
  feed.empty_since_ = clock_.now();
  ++empty_;
  if (unused(feed)) drop(feed.id());
}

bool Hub::unused(const Feed& feed) const {
  if (!feed.seats_.empty() || feed.reading_) return false;
  return feed.phase_ != Feed::Phase::open || feed.sequence_.ended() ||
         empty_ > feeds_kept_empty_max || clock_.now() - feed.empty_since_ >= feed_kept_empty;
}

void Hub::drop(const JobId& id) {
  const auto found = feeds_.find(id);
  log_.unwatch(id, *found->second);
  if (found->second->seats_.empty()) --empty_;
  feeds_.erase(found);
  add(metrics_.jobs_watched, -1);
}

// --- a feed and the log

void Hub::catch_up_soon(Feed& feed) noexcept {
  if (std::exchange(feed.reading_, true)) {
    feed.again_ = true;
    return;
  }
  nursery_.start(catch_up(feed));
}

Task<> Hub::catch_up(Feed& feed) {
  // An event that falls between the read and the subscription would be seen by neither.
  const auto no_longer = clock_.now() + subscription_wait;
  feed.awaited_ = true;
  while (!feed.subscribed_ && clock_.now() < no_longer) {
    co_await feed.changed_.wait_until(no_longer);
  }
  feed.awaited_ = false;
  do {
    feed.again_ = false;
    const bool based = feed.sequence_.based();
    add(metrics_.log_reads, 1);
    const auto page =
        co_await log_.read(feed.id(), based ? feed.sequence_.last() : feed.first_after_);
    if (!page) {
      co_await settle_without_log(feed, page.error());
      break;
    }
    if (!feed.sequence_.take_page(*page)) feed.again_ = true;
    feed.tenant_ = page->tenant;
    feed.phase_ = Feed::Phase::open;
    feed.overdue_ = false;
    feed.wake();
  } while (feed.again_ && !feed.sequence_.ended());
  feed.reading_ = false;
  feed.heard_at_ = clock_.now();
  feed.changed_.notify();
  feed.wake();
  if (unused(feed)) drop(feed.id());
}

Task<> Hub::settle_without_log(Feed& feed, Errc why) {
  const bool gone = why == Errc::not_found;
  const bool opening = feed.phase_ == Feed::Phase::opening;
  feed.overdue_ = !gone || feed.again_;
  if (!gone && !opening) co_return;  // away, with readers in mid-stream: they wait for it
  const auto stored = co_await find_(feed.id());
  if (stored && terminal(stored->state)) {
    feed.sequence_.take_stored_end(stored_end_line(*stored));
    feed.overdue_ = false;
  }
  if (!opening) co_return;
  if (stored) {
    feed.tenant_ = stored->tenant;
    feed.phase_ = Feed::Phase::open;
  } else {
    const bool nobody_knows = gone && stored.error() == Errc::not_found;
    feed.phase_ = nobody_knows ? Feed::Phase::unknown : Feed::Phase::unavailable;
  }
}

// --- what nobody calls for

Task<> Hub::keep_watch() {
  for (;;) {
    co_await clock_.sleep_for(hub_tick);
    sweep();
    retry_overdue();
    co_await check_silent();
  }
}

void Hub::sweep() {
  if (empty_ == 0) return;
  std::vector<JobId> gone;
  for (const auto& [id, feed] : feeds_) {
    if (unused(*feed)) gone.push_back(id);
  }
  for (const auto& id : gone) drop(id);
}

void Hub::retry_overdue() {
  if (!log_.reachable()) return;
  for (const auto& [id, feed] : feeds_) {
    if (feed->overdue_ && !feed->reading_) catch_up_soon(*feed);
  }
}

Task<> Hub::check_silent() {
  const auto heard_before = clock_.now() - limits::silent_job_check;
  std::vector<JobId> silent;
  for (const auto& [id, feed] : feeds_) {
    const bool waits = feed->phase_ == Feed::Phase::open && !feed->sequence_.ended();
    if (waits && !feed->reading_ && feed->heard_at_ <= heard_before) silent.push_back(id);
  }
  if (silent.empty()) co_return;
  const auto states = co_await log_.states(silent);
  if (!states) co_return;
  std::vector<JobId> abandoned;
  for (std::size_t i = 0; i < silent.size() && i < states->size(); ++i) {
    const auto found = feeds_.find(silent[i]);
    if (found == feeds_.end()) continue;
    Feed& feed = *found->second;
    feed.heard_at_ = clock_.now();
    const auto& state = (*states)[i];
    const Sequence& sequence = feed.sequence_;
    const bool missed = !state || !sequence.based() || state->last > sequence.last() ||
                        (terminal(state->state) && !sequence.ended());
    if (runs_unheld(state))
      abandoned.push_back(silent[i]);
    else if (missed)
      catch_up_soon(feed);
  }
  for (const auto& id : abandoned) co_await end_or_catch_up(id);
}

/// Nobody writes to the log of a job that runs without a lease until it is taken over. One that
/// has ended is not: its end was lost with the log, and what stands there began after that. Unless
/// it was taken over and ended since the log was asked: then the log is about to tell its end.
Task<> Hub::end_or_catch_up(JobId id) {
  const auto stored = co_await find_(id);
  bool abandoned = stored && terminal(stored->state);
  if (abandoned) {
    const std::vector<JobId> ids{id};
    const auto states = co_await log_.states(ids);
    abandoned = states && !states->empty() && runs_unheld(states->front());
  }
  const auto found = feeds_.find(id);
  if (found == feeds_.end()) co_return;
  Feed& feed = *found->second;
  if (feed.reading_ || feed.sequence_.ended()) co_return;
  if (!abandoned) {
    catch_up_soon(feed);
    co_return;
  }
  feed.sequence_.take_stored_end(stored_end_line(*stored));
  feed.wake();
}

}  // namespace millrace::relay
