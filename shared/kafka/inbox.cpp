#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>

#include "shared/kafka/consumer.h"

namespace millrace::kafka {

void Inbox::put(const std::shared_ptr<Inbox>& to, std::vector<Delivery>& deliveries) {
  if (deliveries.empty()) return;
  const std::lock_guard lock(to->mutex_);
  std::ranges::move(deliveries, std::back_inserter(to->arrived_items_));
  deliveries.clear();
  if (to->posted_ || to->left_) return;
  to->posted_ = true;
  asio::post(to->loop_, [to] {
    bool left = false;
    {
      const std::lock_guard again(to->mutex_);
      to->posted_ = false;
      left = to->left_;
    }
    if (!left) to->arrived_.notify();
  });
}

void Inbox::close(const std::shared_ptr<Inbox>& to) {
  const std::lock_guard lock(to->mutex_);
  if (to->left_) return;
  to->closed_ = true;
  asio::post(to->loop_, [to] {
    bool left = false;
    {
      const std::lock_guard again(to->mutex_);
      left = to->left_;
    }
    if (!left) to->arrived_.notify();
  });
}

Task<Result<Delivery>> Inbox::take() {
  while (taken_.empty()) {
    bool closed = false;
    {
      const std::lock_guard lock(mutex_);
      taken_.swap(arrived_items_);
      closed = closed_;
    }
    if (!taken_.empty()) {
      std::ranges::reverse(taken_);
      break;
    }
    if (closed) co_return Failure(Errc::closed);
    co_await arrived_.wait();
  }
  Delivery delivery = std::move(taken_.back());
  taken_.pop_back();
  // Others may wait for what is left: their wake-up was this one.
  if (!taken_.empty()) arrived_.notify();
  co_return delivery;
}

void Inbox::leave() {
  const std::lock_guard lock(mutex_);
  left_ = true;
}

}  // namespace millrace::kafka
