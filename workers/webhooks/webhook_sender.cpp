#include "workers/webhooks/webhook_sender.h"

#include <algorithm>

#include "shared/runtime/json_text.h"
#include "shared/runtime/log.h"
#include "workers/webhooks/delivery_body.h"
#include "workers/webhooks/delivery_plan.h"
#include "workers/webhooks/one_post.h"

namespace millrace {
namespace {

/// Taken in one go. A host gets more only where all of them may be its own.
constexpr std::uint32_t turns_a_claim = 4;
static_assert(turns_a_claim <= webhooks_a_host);

/// For what other processes wrote, and for retries.
constexpr Duration look_every = 250ms;
/// However many jobs end: a look costs the Store a query, a long one where a host has a backlog.
constexpr Duration look_apart = 5ms;
constexpr int rest_for_look = 4;
constexpr Duration count_every = 5s;
constexpr Duration connect_timeout = 5s;
/// Beyond the time-out of the request: to sign it, and to note how it ended.
constexpr Duration lease_beyond = 5s;
constexpr std::size_t error_bytes_max = 300;

std::vector<std::string> signed_headers(const std::vector<std::string>& secrets,
                                        const WebhookTurn& turn, WallTime now,
                                        std::string_view body) {
  const auto id = webhook_id(turn.job);
  const auto since_1970 = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  return {"webhook-id: " + id, "webhook-timestamp: " + std::to_string(since_1970.count()),
          "webhook-signature: " + webhook_signature(secrets, id, since_1970, body)};
}

/// For whoever looks why a delivery did not arrive; empty when it did.
std::string words_for(const PostEnd& end) {
  if (!end.in_time) return "no whole answer came in time";
  if (end.how == HttpHow::forbidden)
    return "the host leads to an address that is not public; whoever runs this millrace can allow "
           "it with WEBHOOK_ALLOW";
  if (end.status == 0) return std::string(cut_utf8(end.detail, error_bytes_max));
  if (end.status >= 200 && end.status < 300) return {};
  const std::string answered = "the receiver answered " + std::to_string(end.status);
  if (end.status == 410) return answered + ": it wants no more";
  if (end.status >= 300 && end.status < 400) return answered + "; redirects are not followed";
  return answered;
}

}  // namespace

class WebhookSender::Place {
 public:
  Place(WebhookSender& sender, const std::string& host) : sender_(sender), host_(host) {
    ++sender_.in_flight_;
    ++sender_.hosts_[host_];
    sender_.parts_.counts.in_flight = sender_.in_flight_;
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    const auto mine = sender_.hosts_.find(host_);
    if (--mine->second == 0) sender_.hosts_.erase(mine);
    sender_.parts_.counts.in_flight = --sender_.in_flight_;
    sender_.look_.notify();
  }

 private:
  WebhookSender& sender_;
  const std::string host_;
};

WebhookSender::WebhookSender(Parts parts)
    : parts_(parts),
      headers_({"Content-Type: application/json", "User-Agent: millrace-webhooks/1", "Expect:"}),
      client_(parts.clock,
              {.connect_timeout = connect_timeout,
               .connections_kept = webhooks_at_once,
               .may_connect = [&guard = parts.guard](
                                  const IpAddress& address) { return guard.allows(address); }}),
      sending_(parts.clock),
      look_(parts.clock) {
  parts.news.hear(parts.clock.loop(), look_);
}

WebhookSender::~WebhookSender() {
  parts_.news.stop();
}

Task<> WebhookSender::run() {
  sending_.start(take_turns());
  sending_.start(count_pending());
  co_await sending_.join();
}

Task<> WebhookSender::take_turns() {
  for (;;) {
    const Instant began = parts_.clock.now();
    bool more = true;
    while (more) {
      const bool took = co_await take_some();
      more = took;
    }
    const Instant ended = parts_.clock.now();
    const Duration rest =
        std::min(std::max(look_apart, rest_for_look * (ended - began)), look_every);
    co_await look_.wait_until(ended + look_every);
    co_await parts_.clock.sleep_until(ended + rest);
  }
}

/// False when there is nothing to take, or no room for it.
Task<bool> WebhookSender::take_some() {
  if (in_flight_ + turns_a_claim > webhooks_at_once) co_return false;
  auto turns =
      co_await parts_.outbox.claim(busy_hosts(), turns_a_claim, parts_.timeout + lease_beyond);
  if (!turns) co_return false;
  for (auto& turn : *turns) {
    auto place = std::make_unique<Place>(*this, turn.host);
    sending_.start(deliver(std::move(turn), std::move(place)));
  }
  co_return !turns->empty();
}

std::vector<std::string> WebhookSender::busy_hosts() const {
  std::vector<std::string> busy;
  for (const auto& [host, count] : hosts_)
    if (count + turns_a_claim > webhooks_a_host) busy.push_back(host);
  return busy;
}

Task<> WebhookSender::deliver(WebhookTurn turn, std::unique_ptr<Place> place) {
  WebhookResult result;
  const auto made = co_await attempt(turn, result);
  // With the Store away nothing is known: the lease ends, and the delivery is due again.
  if (!made) co_return;
  const auto settled = co_await parts_.outbox.settle(turn, *made, result);
  if (!settled)
    log::warn("webhook_not_settled",
              {{"job", turn.job.str()}, {"why", to_string(settled.error())}});
  if (result.state == DeliveryState::failed)
    log::warn("webhook_failed", {{"job", turn.job.str()},
                                 {"tenant", turn.tenant},
                                 {"host", turn.host},
                                 {"attempts", turn.number},
                                 {"why", made->error}});
  count(result.state);
}

void WebhookSender::count(DeliveryState state) {
  auto& counts = parts_.counts;
  auto& counted = state == DeliveryState::delivered ? counts.delivered
                  : state == DeliveryState::failed  ? counts.failed
                                                    : counts.retried;
  counted.fetch_add(1, std::memory_order_relaxed);
}

Task<std::optional<WebhookAttempt>> WebhookSender::attempt(const WebhookTurn& turn,
                                                           WebhookResult& result) {
  WebhookAttempt made{.number = turn.number, .at = parts_.clock.wall(), .took = {}, .error = {}};
  const auto secrets = co_await parts_.outbox.secrets(turn.tenant);
  if (!secrets) co_return std::nullopt;
  const auto job = co_await parts_.store.find(turn.tenant, turn.job);
  if (!job && job.error() != Errc::not_found) co_return std::nullopt;
  if (!job) {
    made.error = "the job is no longer kept";
    result.state = DeliveryState::failed;
    co_return made;
  }
  std::string body = delivery_body(*job);
  auto own_headers = signed_headers(*secrets, turn, made.at, body);
  const Instant began = parts_.clock.now();
  const auto end = co_await post_once(client_, parts_.clock,
                                      HttpPost{.url = turn.url,
                                               .headers = headers_,
                                               .own_headers = std::move(own_headers),
                                               .body = std::move(body)},
                                      parts_.timeout);
  made.took = parts_.clock.now() - began;
  made.status = end.status;
  made.error = words_for(end);
  result = after_try({.status = end.status,
                      .forbidden = end.how == HttpHow::forbidden,
                      .retry_after = end.retry_after},
                     turn, parts_.clock.wall(), parts_.random.unit());
  co_return made;
}

Task<> WebhookSender::count_pending() {
  for (;;) {
    const auto pending = co_await parts_.outbox.pending();
    if (pending) parts_.counts.pending = *pending;
    co_await parts_.clock.sleep_for(count_every);
  }
}

}  // namespace millrace
