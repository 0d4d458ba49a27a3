#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shared/redis/connection.h"

namespace millrace::redis {

/// Hears one channel. Called on the loop; must not throw, may join and leave. Neither is called
/// once `leave` has returned.
class Listener {
 public:
  virtual ~Listener() = default;
  /// The payload is a view into the server's reply.
  virtual void on_message(std::string_view payload) noexcept = 0;
  /// The subscription stands, for the first time or again: messages may have been missed.
  virtual void on_subscribed() noexcept = 0;
};

/// The pub/sub side of one loop: one connection, one subscription a channel however many listen.
class Subscriber {
 public:
  Subscriber(Clock& clock, Address address, Duration command_timeout);

  Task<> run() { return connection_.run(); }
  /// Listens from some time on; `on_subscribed` tells when.
  void join(const std::string& channel, Listener& listener);
  void leave(const std::string& channel, Listener& listener);

 private:
  struct Seat {
    Listener* listener;       ///< null: has left
    std::uint64_t number;     ///< rises with each join
    bool subscribed = false;  ///< was told that the subscription stands
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  using Channels = std::unordered_map<std::string, std::vector<Seat>, Hash, std::equal_to<>>;

  Task<Result<>> subscribe_all(Connection& connection);
  void forget_subscriptions();
  void take(ReplyView message);
  template <class Tell>
  void tell_each(std::string_view name, Tell tell_one);

  Connection connection_;
  Channels channels_;
  CommandBuffer buffer_;
  std::uint64_t joins_ = 0;
};

}  // namespace millrace::redis
