#include "shared/sqlite/job_taker.h"

#include "shared/contract/envelope.h"
#include "shared/runtime/log.h"

namespace millrace::sqlite {
namespace {

constexpr Duration read_again_after = 1s;
/// Parked rows that are due and another loop's stand before ours.
constexpr Duration due_again_after = 100ms;
/// An envelope of a newer build waits for that build to come back.
constexpr auto upgrade_wait = std::chrono::hours(1);
constexpr auto dead_letters_kept = std::chrono::days(30);

WaitingJobs::Bounds bounds(const JobTaker::Parts& parts) {
  const std::size_t shares = parts.shares->count();
  return {.jobs = limits::queue_jobs_in_memory_max / shares,
          .bytes = limits::queue_memory_bytes_max / shares,
          .in_hand = parts.jobs_in_flight,
          .wait_max = limits::retry_in_memory_max};
}

struct LanePage {
  std::string lane;
  QueuePage page;
};

/// Nothing behind the last row there was: what comes later comes by itself.
Result<QueuePage> to_the_end(Result<QueuePage> page, const QueueShares& shares) {
  if (page && page->complete) page->looked_to = shares.last_seq();
  return page;
}

}  // namespace

std::shared_ptr<JobTaker> JobTaker::start(Clock& clock, Parts parts) {
  auto taker = std::make_shared<JobTaker>(clock, std::move(parts));
  taker->inbox_ = std::make_shared<QueueInbox>(clock, [weak = std::weak_ptr(taker)] {
    if (const auto here = weak.lock()) here->look();
  });
  taker->share_ = taker->parts_.shares->join(taker->inbox_);
  // Only now: what was committed before it joined has to be read.
  taker->old_to_ = taker->parts_.shares->last_seq();
  taker->waiting_.note_newest(taker->old_to_);
  return taker;
}

JobTaker::JobTaker(Clock& clock, Parts parts)
    : clock_(clock),
      parts_(std::move(parts)),
      caller_(clock, parts_.replies),
      old_to_(0),
      waiting_(bounds(parts_), 0),
      changed_(clock) {}

void JobTaker::stop() {
  parts_.shares->part(share_);
  parts_.counts->in_flight.fetch_sub(static_cast<std::int64_t>(waiting_.in_hand()),
                                     std::memory_order_relaxed);
}

template <class Work>
void JobTaker::write(std::size_t bytes, Work work) {
  Caller::write_later(parts_.writes.queue(), bytes, std::move(work));
}

/// `done(T)` on the loop while this lives; a failure is tried again later.
template <class T, class Work, class Done>
void JobTaker::read(Work work, Done done) {
  caller_.ask_then<T>(parts_.writes.queue(), std::move(work),
                      [weak = weak_from_this(), done = std::move(done)](Result<T> result) mutable {
                        const auto here = weak.lock();
                        if (!here) return;
                        if (!result) here->reading_failed(result.error());
                        done(*here, std::move(result));
                        here->look();
                      });
}

// --- deliveries

Task<Result<Delivery>> JobTaker::next() {
  for (;;) {
    look();
    auto delivery = waiting_.take();
    if (delivery) {
      parts_.counts->in_flight.fetch_add(1, std::memory_order_relaxed);
      parts_.counts->delivered.fetch_add(1, std::memory_order_relaxed);
      // Others may wait for what is left: their wake-up was this one.
      if (waiting_.ready()) changed_.notify();
      co_return std::move(*delivery);
    }
    asleep_until_ = look_again_;
    co_await changed_.wait_until(look_again_);
  }
}

Result<> JobTaker::settle(const Delivery& delivery, const Verdict& verdict) {
  const auto seq = waiting_.row_of(delivery.handle);
  if (!seq) return {};
  if (parts_.writes.queue().full()) return Failure(Errc::overloaded);
  parts_.counts->in_flight.fetch_sub(1, std::memory_order_relaxed);
  if (const auto* retry = std::get_if<Retry>(&verdict)) {
    come_again(delivery, retry->at, delivery.attempt + 1, true);
    look();
    return {};
  }
  if (const auto* dead = std::get_if<Dead>(&verdict))
    bury(*seq, {.job = delivery.job.id,
                .reason = dead->reason,
                .attempts = delivery.attempt,
                .redriven_as = std::nullopt});
  else
    remove(*seq);
  waiting_.finish(delivery.handle, clock_.now());
  look();
  return {};
}

void JobTaker::release(const Delivery& delivery, Instant not_before) {
  if (!waiting_.row_of(delivery.handle)) return;
  parts_.counts->in_flight.fetch_sub(1, std::memory_order_relaxed);
  come_again(delivery, not_before, delivery.attempt, false);
  look();
}

void JobTaker::come_again(const Delivery& delivery, Instant at, std::uint32_t attempt,
                          bool counted) {
  QueueChange change{.seq = *waiting_.row_of(delivery.handle),
                     .attempt = attempt,
                     .due = wall(at),
                     .begun = counted || delivery.redelivered};
  WaitingJob again{.seq = change.seq,
                   .job = delivery.job,
                   .lane = lane_of(delivery.job),
                   .attempt = attempt,
                   .redelivered = change.begun,
                   .due = at};
  const bool alone = again.lane.empty();
  const bool held = waiting_.put_off(delivery.handle, std::move(again), clock_.now());
  // What is held and not counted needs no row: after a crash it comes at once, and is looked at.
  if (held && !counted) return;
  change.parked = !held && alone;
  write(0, [change](Tables& tables) { return tables.queue.change(change); });
}

void JobTaker::remove(std::int64_t seq) {
  parts_.shares->finished(clock_.now());
  write(0, [seq](Tables& tables) { return tables.queue.remove(seq); });
}

/// The letter and the end of its row are one write.
void JobTaker::bury(std::int64_t seq, DeadLetter letter) {
  parts_.shares->finished(clock_.now());
  parts_.counts->dead.fetch_add(1, std::memory_order_relaxed);
  letter.died_at = clock_.wall();
  const std::size_t bytes = letter.reason.size();
  write(bytes, [seq, letter = std::move(letter)](Tables& tables) {
    const auto buried = tables.letters.add(letter, letter.died_at - dead_letters_kept);
    return buried ? tables.queue.remove(seq) : buried;
  });
}

// --- what comes

void JobTaker::look() {
  take_arrivals();
  const Instant now = clock_.now();
  look_again_ = waiting_.wake(now);
  park_those_without_room();
  if (now >= read_again_) {
    ask();
  } else {
    look_again_ = read_again_;
  }
  if (waiting_.ready() || look_again_ < asleep_until_) changed_.notify();
  parts_.counts->held_bytes.store(static_cast<std::int64_t>(waiting_.held_bytes()),
                                  std::memory_order_relaxed);
}

void JobTaker::take_arrivals() {
  Arrivals arrived = inbox_->take();
  const Instant now = clock_.now();
  for (auto& queued : arrived.jobs) {
    queued.job.due = instant(queued.due);
    waiting_.arrive(std::move(queued.job), now);
  }
  if (arrived.newest > 0) waiting_.note_newest(arrived.newest);
  if (arrived.parked) waiting_.note_parked(instant(*arrived.parked));
}

void JobTaker::park_those_without_room() {
  for (const auto& job : waiting_.take_parked()) {
    const QueueChange change{.seq = job.seq,
                             .attempt = job.attempt,
                             .due = wall(job.due),
                             .parked = true,
                             .begun = job.redelivered};
    write(0, [change](Tables& tables) { return tables.queue.change(change); });
  }
}

// --- what is read

void JobTaker::ask() {
  if (const auto page = waiting_.wanted_page()) ask_page(*page);
  if (auto lanes = waiting_.wanted_lanes(); !lanes.empty()) ask_lanes(std::move(lanes));
  if (const auto due = waiting_.wanted_due(clock_.now())) ask_due(*due);
}

QueueTable::Mine JobTaker::mine() const {
  if (parts_.shares->count() == 1) return {};
  return [shares = parts_.shares, share = share_](const JobId& job, std::string_view lane) {
    return shares->share_of(job, lane) == share;
  };
}

void JobTaker::ask_page(WaitingJobs::Reading what) {
  read<QueuePage>(
      [what, mine = mine(), shares = parts_.shares](Tables& tables) {
        return to_the_end(tables.queue.page(what.after, {what.rows, what.bytes}, mine), *shares);
      },
      [](JobTaker& here, Result<QueuePage> page) {
        if (!page) return here.waiting_.page_failed();
        here.waiting_.add_page(here.decoded(std::move(page->rows)), page->looked_to,
                               here.clock_.now());
      });
}

void JobTaker::ask_lanes(std::vector<WaitingJobs::LaneReading> lanes) {
  auto work = [lanes, shares = parts_.shares](Tables& tables) -> Result<std::vector<LanePage>> {
    std::vector<LanePage> pages;
    for (const auto& lane : lanes) {
      auto page = to_the_end(
          tables.queue.lane(lane.lane, lane.what.after, {lane.what.rows, lane.what.bytes}),
          *shares);
      if (!page) return Failure(page.error());
      pages.push_back({lane.lane, std::move(*page)});
    }
    return pages;
  };
  read<std::vector<LanePage>>(
      std::move(work), [lanes](JobTaker& here, Result<std::vector<LanePage>> pages) {
        if (!pages) {
          for (const auto& lane : lanes) here.waiting_.lane_failed(lane.lane);
          return;
        }
        for (auto& one : *pages)
          here.waiting_.add_lane(one.lane, here.decoded(std::move(one.page.rows)),
                                 one.page.looked_to, here.clock_.now());
      });
}

void JobTaker::ask_due(WaitingJobs::Reading what) {
  read<QueuePage>(
      [what, mine = mine(), now = clock_.wall()](Tables& tables) {
        return tables.queue.due(now, {what.rows, what.bytes}, mine);
      },
      [](JobTaker& here, Result<QueuePage> page) {
        const Instant now = here.clock_.now();
        if (!page) return here.waiting_.due_failed(now + read_again_after);
        Instant next = page->next ? here.instant(*page->next) : Instant::max();
        if (!page->complete && page->rows.empty()) next = now + due_again_after;
        for (const auto seq : here.waiting_.add_due(here.decoded(std::move(page->rows)), next, now))
          here.write(0, [seq](Tables& tables) { return tables.queue.unpark(seq); });
      });
}

void JobTaker::reading_failed(Errc error) {
  log::warn("queue_not_read", {{"error", to_string(error)}});
  read_again_ = clock_.now() + read_again_after;
}

std::vector<WaitingJob> JobTaker::decoded(std::vector<QueueRow> rows) {
  std::vector<WaitingJob> jobs;
  jobs.reserve(rows.size());
  for (auto& row : rows)
    if (auto job = decoded(row)) jobs.push_back(std::move(*job));
  return jobs;
}

/// Nothing for what will never be read: its row ends here.
std::optional<WaitingJob> JobTaker::decoded(QueueRow& row) {
  WaitingJob waiting{.seq = row.seq,
                     .job = {},
                     .lane = std::move(row.lane),
                     .attempt = row.attempt,
                     .redelivered = row.begun || row.seq <= old_to_,
                     .due = instant(row.due)};
  if (!row.envelope) {
    remove(row.seq);
    return std::nullopt;
  }
  auto read = decode_envelope(*row.envelope);
  if (auto* job = std::get_if<Job>(&read)) {
    waiting.job = std::move(*job);
    return waiting;
  }
  if (const auto* newer = std::get_if<UnknownVersion>(&read)) {
    log::warn("newer_envelope", {{"version", newer->version}, {"job", row.job.str()}});
    waiting.job.id = row.job;
    waiting.due = clock_.now() + upgrade_wait;
    return waiting;
  }
  const auto& reason = std::get<MalformedEnvelope>(read).reason;
  log::warn("unreadable_row", {{"job", row.job.str()}, {"reason", reason}});
  bury(row.seq,
       {.job = row.job, .reason = reason, .attempts = row.attempt, .redriven_as = std::nullopt});
  return std::nullopt;
}

// --- time

Instant JobTaker::instant(WallTime due) const {
  const auto wait = due - clock_.wall();
  return wait > wait.zero() ? clock_.now() + wait : Instant{};
}

WallTime JobTaker::wall(Instant due) const {
  const Duration wait = std::max(due - clock_.now(), Duration::zero());
  return clock_.wall() + std::chrono::ceil<std::chrono::milliseconds>(wait);
}

}  // namespace millrace::sqlite
