#include "shared/redis/subscriber.h"

#include <algorithm>

namespace millrace::redis {
namespace {

constexpr std::size_t channels_per_command = 500;

}  // namespace

Subscriber::Subscriber(Clock& clock, Address address)
    : connection_(
          clock, std::move(address),
          {.on_connected = [this](Connection& connection) { return subscribe_all(connection); },
           .on_push = [this](ReplyView message) { take(message); },
           .on_lost =
               [this] {
                 for (auto& [name, channel] : channels_) channel.subscribed = false;
               }}) {}

void Subscriber::join(const std::string& channel, Listener& listener) {
  Channel& at = channels_[channel];
  at.listeners.push_back(&listener);
  if (at.listeners.size() > 1 && !at.subscribed) return;
  // A second SUBSCRIBE of the same channel is confirmed again: that is the newcomer's sign.
  CommandBuffer command;
  command.command({"SUBSCRIBE", channel});
  if (connection_.ready()) connection_.tell(command);
}

void Subscriber::leave(const std::string& channel, Listener& listener) {
  const auto found = channels_.find(channel);
  if (found == channels_.end()) return;
  auto& listeners = found->second.listeners;
  std::ranges::replace(listeners, &listener, nullptr);
  const bool empty = std::ranges::all_of(listeners, [](Listener* one) { return !one; });
  if (!empty) return;
  channels_.erase(found);
  CommandBuffer command;
  command.command({"UNSUBSCRIBE", channel});
  if (connection_.ready()) connection_.tell(command);
}

Task<Result<>> Subscriber::subscribe_all(Connection& connection) {
  CommandBuffer commands;
  auto next = channels_.begin();
  while (next != channels_.end()) {
    const auto left = static_cast<std::size_t>(std::distance(next, channels_.end()));
    const std::size_t count = std::min(left, channels_per_command);
    commands.command(1 + count);
    commands.part("SUBSCRIBE");
    for (std::size_t i = 0; i < count; ++i, ++next) commands.part(next->first);
  }
  if (commands.count() > 0) connection.tell(commands);
  co_return Result<>{};
}

void Subscriber::take(ReplyView message) {
  const auto kind = message[0].text();
  const auto name = message[1].text();
  if (kind == "message") {
    const auto payload = message[2].text();
    tell(name, [payload](Listener& listener) { listener.on_message(payload); });
  } else if (kind == "subscribe") {
    const auto found = channels_.find(name);
    if (found != channels_.end()) found->second.subscribed = true;
    tell(name, [](Listener& listener) { listener.on_subscribed(); });
  }
}

/// Listeners may join and leave while they are told.
template <class Tell>
void Subscriber::tell(std::string_view name, Tell tell_one) {
  auto found = channels_.find(name);
  for (std::size_t i = 0; found != channels_.end() && i < found->second.listeners.size(); ++i) {
    if (auto* listener = found->second.listeners[i]) tell_one(*listener);
    found = channels_.find(name);
  }
  if (found != channels_.end()) std::erase(found->second.listeners, nullptr);
}

}  // namespace millrace::redis
