#pragma once
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/runtime/clock.h"
#include "shared/runtime/random.h"
#include "shared/webhooks.h"

namespace millrace {

/// One loop's outbox of webhooks: as StorePort is its Store.
template <class Desks>
class WebhooksPort final : public Webhooks {
  using Tables = typename Desks::Tables;
  using Turns = std::vector<WebhookTurn>;
  using Secrets = std::vector<std::string>;

 public:
  WebhooksPort(Clock& clock, typename Desks::Parts parts) : clock_(clock), desks_(clock, parts) {}

  /// Asks before it writes: mostly nothing is due.
  Task<Result<Turns>> claim(std::vector<std::string> but, std::uint32_t most,
                            Duration lease) override {
    const WallTime now = clock_.wall();
    const auto due = co_await desks_.template read<bool>(
        [now](Tables& tables) { return tables.webhooks.any_due(now); });
    if (!due) co_return Failure(due.error());
    if (!*due) co_return Turns();
    const WallTime until = now + std::chrono::ceil<std::chrono::milliseconds>(lease);
    co_return co_await desks_.template write<Turns>(
        Desks::lock("webhooks", "claim"), 0,
        [but = std::move(but), most, now, until](Tables& tables) {
          return tables.webhooks.claim(but, most, now, until);
        });
  }

  Task<Result<>> settle(const WebhookTurn& turn, const WebhookAttempt& attempt,
                        const WebhookResult& result) override {
    return desks_.template write<void>(
        Desks::lock(turn.job), attempt.error.size(),
        [job = turn.job, attempt, result, now = clock_.wall()](Tables& tables) {
          return tables.webhooks.settle(job, attempt, result, now);
        });
  }

  Task<Result<std::uint64_t>> pending() override {
    return desks_.template list<std::uint64_t>(
        [](Tables& tables) { return tables.webhooks.pending(); });
  }

  Task<Result<std::vector<WebhookDelivery>>> list(const DeliveryFilter& filter) override {
    return desks_.template list<std::vector<WebhookDelivery>>(
        [filter](Tables& tables) { return tables.webhooks.list(filter); });
  }

  Task<Result<WebhookHistory>> find(std::string_view tenant, const JobId& job) override {
    return desks_.template read<WebhookHistory>(
        [tenant = std::string(tenant), job](Tables& tables) {
          return tables.webhooks.history(tenant, job);
        });
  }

  Task<Result<WebhookDelivery>> redeliver(std::string_view tenant, const JobId& job) override {
    return desks_.template write<WebhookDelivery>(
        Desks::lock(job), 0,
        [tenant = std::string(tenant), job, now = clock_.wall()](Tables& tables) {
          return tables.webhooks.redeliver(tenant, job, now);
        });
  }

  Task<Result<Secrets>> secrets(std::string_view tenant) override {
    return find_or_make(std::string(tenant));
  }

  Task<Result<Secrets>> rotate(std::string_view tenant) override {
    return desks_.template write<Secrets>(
        Desks::lock("webhooks", tenant), 0,
        [tenant = std::string(tenant), fresh = new_secret(), now = clock_.wall(),
         since = goes_on_since()](Tables& tables) {
          return tables.webhooks.rotate(tenant, fresh, now, since);
        });
  }

 private:
  static constexpr auto old_secret_goes_on = std::chrono::hours(24);

  Task<Result<Secrets>> find_or_make(std::string tenant) {
    auto found =
        co_await desks_.template read<Secrets>([tenant, since = goes_on_since()](Tables& tables) {
          return tables.webhooks.secrets(tenant, since);
        });
    if (!found || !found->empty()) co_return found;
    co_return co_await desks_.template write<Secrets>(
        Desks::lock("webhooks", tenant), 0,
        [tenant, fresh = new_secret(), now = clock_.wall(), since = goes_on_since()](
            Tables& tables) { return tables.webhooks.first_secret(tenant, fresh, now, since); });
  }

  WallTime goes_on_since() const { return clock_.wall() - old_secret_goes_on; }

  /// 192 bits, as the specification's own.
  static std::string new_secret() {
    SystemRandom random;
    std::array<std::uint8_t, 24> bytes{};
    random.fill(bytes);
    return webhook_secret({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

  Clock& clock_;
  Desks desks_;
};

}  // namespace millrace
