#include "shared/disk/inbox.h"

#include <boost/asio/post.hpp>

namespace millrace::disk {
namespace {

/// What is kept of emptied memory for the next news.
constexpr std::size_t kept_bytes = 256 * 1024;

}  // namespace

void Inbox::put(Kind kind, const JobId& id, std::string_view text, std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  const std::size_t held = news_.text.size() + news_.messages.size() * sizeof(Message);
  // What is waited for is told whatever happens.
  const bool awaited = kind == Kind::listening || kind == Kind::read;
  if (held > bytes_max && !awaited) {
    news_.missed = true;
  } else {
    news_.messages.push_back({kind, id, number, text.size()});
    news_.text += text;
  }
  if (asked_) return;
  asked_ = true;
  // Under the lock: once `close` has returned the loop may go.
  asio::post(clock_.loop(), [self = shared_from_this()] { self->take(); });
}

void Inbox::close() {
  ear_ = nullptr;
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

void Inbox::take() {
  News taken;
  {
    const std::lock_guard lock(mutex_);
    std::swap(taken, news_);
    asked_ = false;
  }
  std::string_view text = taken.text;
  for (const Message& message : taken.messages) {
    tell(message, text.substr(0, message.bytes));
    text.remove_prefix(message.bytes);
  }
  if (taken.missed && ear_) ear_->on_missed();
  if (taken.text.capacity() > kept_bytes) return;
  taken.messages.clear();
  taken.text.clear();
  taken.missed = false;
  const std::lock_guard lock(mutex_);
  if (news_.messages.empty() && !news_.missed) std::swap(taken, news_);
}

void Inbox::tell(const Message& message, std::string_view text) {
  if (!ear_) return;
  switch (message.kind) {
    case Kind::lines:
      return ear_->on_lines(message.id, text);
    case Kind::joined:
      return ear_->on_joined(message.id, text);
    case Kind::cancel:
      return ear_->on_cancel(message.id, text);
    case Kind::listening:
      return ear_->on_listening(message.number);
    case Kind::read:
      return ear_->on_read(message.number);
  }
}

}  // namespace millrace::disk
