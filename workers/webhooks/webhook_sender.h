#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shared/curl/http_client.h"
#include "shared/outbound/guard.h"
#include "shared/runtime/nursery.h"
#include "shared/runtime/random.h"
#include "shared/store.h"
#include "shared/webhooks.h"
#include "workers/webhooks/delivery_news.h"
#include "workers/webhooks/webhook_counts.h"

namespace millrace {

/// Takes due deliveries from the outbox and sends them: at most `webhooks_at_once`, and at most
/// `webhooks_a_host` to one host, so that a receiver that is slow holds up nobody else's. Any
/// number of processes may send from one outbox. What a process has in hand when it dies is sent
/// again once its lease has ended: receivers know a message they have by its `webhook-id`.
class WebhookSender {
 public:
  struct Parts {
    Webhooks& outbox;
    Store& store;
    Clock& clock;
    Random& random;
    WebhookCounts& counts;
    const outbound::Guard& guard;
    DeliveryNews& news;  ///< outlives the loop
    Duration timeout;    ///< of one request, from the connection to the last byte of the answer
  };
  explicit WebhookSender(Parts parts);
  ~WebhookSender();

  /// Until cancelled.
  Task<> run();

 private:
  class Place;  ///< one of those at once, and of its host's

  Task<> take_turns();
  Task<bool> take_some();
  std::vector<std::string> busy_hosts() const;
  Task<> deliver(WebhookTurn turn, std::unique_ptr<Place> place);
  Task<std::optional<WebhookAttempt>> attempt(const WebhookTurn& turn, WebhookResult& result);
  void count(DeliveryState state);
  Task<> count_pending();

  Parts parts_;
  HeaderLines headers_;
  HttpClient client_;
  Nursery sending_;
  Signal look_;                               ///< there is room again, or news
  std::map<std::string, std::size_t> hosts_;  ///< in flight
  std::size_t in_flight_ = 0;
};

inline constexpr std::size_t webhooks_at_once = 64;
inline constexpr std::size_t webhooks_a_host = 8;

}  // namespace millrace
