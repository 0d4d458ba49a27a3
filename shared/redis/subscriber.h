#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shared/redis/connection.h"

namespace millrace::redis {

/// Hears one channel. Called on the loop; must not throw. Neither may be called once `leave` has
/// returned.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void on_message(std::string_view payload) noexcept = 0;
  /// The subscription stands, for the first time or again: messages may have been missed.
  virtual void on_subscribed() noexcept = 0;
};

/// The pub/sub side of one loop: one connection, one subscription a channel however many listen.
class Subscriber {
 public:
  Subscriber(Clock& clock, Address address);

  Task<> run() { return connection_.run(); }
  /// Listens from some time on; `on_subscribed` tells when.
  void join(const std::string& channel, Listener& listener);
  void leave(const std::string& channel, Listener& listener);

 private:
  struct Channel {
    std::vector<Listener*> listeners;  ///< null: left while the channel was being told
    bool subscribed = false;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  Task<Result<>> subscribe_all(Connection& connection);
  void take(ReplyView message);
  template <class Tell>
  void tell(std::string_view name, Tell tell);

  Connection connection_;
  std::unordered_map<std::string, Channel, Hash, std::equal_to<>> channels_;
};

}  // namespace millrace::redis
