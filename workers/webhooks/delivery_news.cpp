#include "workers/webhooks/delivery_news.h"

#include <boost/asio/post.hpp>

namespace millrace {

void DeliveryNews::tell() {
  const std::lock_guard lock(mutex_);
  if (!signal_ || under_way_) return;
  under_way_ = true;
  asio::post(*loop_, [this] { arrive(); });
}

void DeliveryNews::hear(asio::io_context& loop, Signal& signal) {
  const std::lock_guard lock(mutex_);
  loop_ = &loop;
  signal_ = &signal;
  under_way_ = false;
}

void DeliveryNews::stop() {
  const std::lock_guard lock(mutex_);
  signal_ = nullptr;
}

void DeliveryNews::arrive() {
  const std::lock_guard lock(mutex_);
  under_way_ = false;
  if (signal_) signal_->notify();
}

}  // namespace millrace
