#include "shared/sqlite/queue_shares.h"

#include <boost/asio/post.hpp>
#include <stdexcept>

namespace millrace::sqlite {
namespace {

/// A loop that does not look for so long has enough to do.
constexpr std::size_t inbox_jobs_max = 1000;
constexpr Duration sample_every = 1s;

}  // namespace

void QueueInbox::put(const std::shared_ptr<QueueInbox>& to, Arrivals::Queued queued, bool parked) {
  const std::lock_guard lock(to->mutex_);
  if (to->left_) return;
  Arrivals& arrived = to->arrived_;
  if (parked) {
    arrived.parked = std::min(arrived.parked.value_or(queued.due), queued.due);
  } else if (arrived.newest > 0 || arrived.jobs.size() >= inbox_jobs_max) {
    arrived.newest = queued.job.seq;
  } else {
    arrived.jobs.push_back(std::move(queued));
  }
  if (std::exchange(to->posted_, true)) return;
  asio::post(to->loop_, [to] { to->wake(); });
}

void QueueInbox::wake() {
  {
    const std::lock_guard lock(mutex_);
    posted_ = false;
    if (left_) return;
  }
  wake_();
}

Arrivals QueueInbox::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(arrived_, {});
}

void QueueInbox::leave() {
  const std::lock_guard lock(mutex_);
  left_ = true;
  arrived_ = {};
}

QueueShares::QueueShares(std::size_t count, std::int64_t waiting, std::int64_t last_seq)
    : inboxes_(count), last_seq_(last_seq), waiting_(waiting) {}

std::size_t QueueShares::share_of(const JobId& job, std::string_view lane) const {
  const std::size_t hash =
      lane.empty() ? std::hash<JobId>()(job) : std::hash<std::string_view>()(lane);
  return hash % count();
}

std::size_t QueueShares::join(std::shared_ptr<QueueInbox> inbox) {
  const std::lock_guard lock(mutex_);
  const auto free = std::ranges::find(inboxes_, nullptr);
  if (free == inboxes_.end()) throw std::logic_error("the queue has a loop for each share");
  *free = std::move(inbox);
  return static_cast<std::size_t>(free - inboxes_.begin());
}

void QueueShares::part(std::size_t share) {
  const std::lock_guard lock(mutex_);
  inboxes_[share]->leave();
  inboxes_[share].reset();
}

void QueueShares::queued(Arrivals::Queued queued, bool parked) {
  waiting_.fetch_add(1, std::memory_order_relaxed);
  const std::size_t share = share_of(queued.job.job.id, queued.job.lane);
  const std::lock_guard lock(mutex_);
  if (inboxes_[share]) QueueInbox::put(inboxes_[share], std::move(queued), parked);
}

void QueueShares::finished(Instant now) {
  waiting_.fetch_sub(1, std::memory_order_relaxed);
  const std::lock_guard lock(rate_mutex_);
  ++finished_;
  sample(now);
}

double QueueShares::finished_per_s(Instant now) {
  const std::lock_guard lock(rate_mutex_);
  sample(now);
  return rate_.per_second();
}

void QueueShares::sample(Instant now) {
  if (sampled_at_ != Instant::min() && now < sampled_at_ + sample_every) return;
  sampled_at_ = now;
  rate_.add(now, finished_);
}

}  // namespace millrace::sqlite
