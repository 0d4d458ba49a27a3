#include "shared/redis/subscriber.h"

#include <algorithm>

namespace millrace::redis {
namespace {

constexpr std::size_t channels_per_command = 500;

}  // namespace

Subscriber::Subscriber(Clock& clock, Address address, Duration command_timeout)
    : connection_(
          clock, std::move(address), command_timeout,
          {.on_connected = [this](Connection& connection) { return subscribe_all(connection); },
           .on_push = [this](ReplyView message) { take(message); },
           .on_lost = [this] { forget_subscriptions(); }}) {}

void Subscriber::join(const std::string& channel, Listener& listener) {
  channels_[channel].push_back({&listener, ++joins_});
  if (!connection_.ready()) return;
  // A second SUBSCRIBE of the same channel is confirmed again: that is the newcomer's sign.
  buffer_.clear();
  buffer_.command({"SUBSCRIBE", channel});
  connection_.tell(buffer_);
}

void Subscriber::leave(const std::string& channel, Listener& listener) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return;
  auto& seats = found->second;
  for (auto& seat : seats)
    if (seat.listener == &listener) seat.listener = nullptr;
  if (std::ranges::any_of(seats, [](const Seat& seat) { return seat.listener != nullptr; })) return;
  channels_.erase(found);
  if (!connection_.ready()) return;
  buffer_.clear();
  buffer_.command({"UNSUBSCRIBE", channel});
  connection_.tell(buffer_);
}

Task<Result<>> Subscriber::subscribe_all(Connection& connection) {
  CommandBuffer commands;
  std::size_t left = channels_.size();
  for (auto next = channels_.begin(); next != channels_.end();) {
    const std::size_t count = std::min(left, channels_per_command);
    commands.command(1 + count);
    commands.part("SUBSCRIBE");
    for (std::size_t i = 0; i < count; ++i, ++next) commands.part(next->first);
    left -= count;
  }
  if (commands.count() > 0) connection.tell(commands);
  co_return Result<>{};
}

void Subscriber::forget_subscriptions() {
  for (auto& [name, seats] : channels_)
    for (auto& seat : seats) seat.subscribed = false;
}

void Subscriber::take(ReplyView message) {
  const auto kind = message[0].text();
  const auto name = message[1].text();
  if (kind == "message") {
    const auto payload = message[2].text();
    tell_each(name, [payload](Listener& listener, bool&) { listener.on_message(payload); });
  } else if (kind == "subscribe") {
    tell_each(name, [](Listener& listener, bool& subscribed) {
      if (!std::exchange(subscribed, true)) listener.on_subscribed();
    });
  } else if (kind == "unsubscribe") {
    // Left and joined again: what was said between the two was missed.
    tell_each(name, [](Listener&, bool& subscribed) { subscribed = false; });
  }
}

/// Listeners may join and leave while they are told; who joins then was not meant.
template <class Tell>
void Subscriber::tell_each(std::string_view name, Tell tell_one) {
  const std::uint64_t joined = joins_;
  auto found = channels_.find(name);
  for (std::size_t i = 0; found != channels_.end() && i < found->second.size(); ++i) {
    Seat& seat = found->second[i];
    if (!seat.listener || seat.number > joined) continue;
    tell_one(*seat.listener, seat.subscribed);
    found = channels_.find(name);
  }
  if (found != channels_.end())
    std::erase_if(found->second, [](const Seat& seat) { return !seat.listener; });
}

}  // namespace millrace::redis
