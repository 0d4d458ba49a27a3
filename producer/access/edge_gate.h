#pragma once
#include <optional>
#include <string>

#include "producer/access/client_address.h"
#include "producer/access/gate_metrics.h"
#include "producer/access/key_book.h"
#include "producer/access/page_rules.h"
#include "producer/access/rate_limiter.h"
#include "producer/access/route_access.h"
#include "shared/http/server.h"

namespace millrace::access {

/// Wrong keys an address may show before it has to wait, and how fast it may show more.
inline constexpr TokenRate wrong_keys{.per_s = 0.5, .burst = 20};

/// The door of an edge: who asks, whether they may, and how often. One a loop; what the parts name
/// outlives it.
///
/// `AUTH=off`: everybody is the default tenant and may all. `on`: every route but those that
/// RouteAccess calls open wants a key. `auto`: as `on` from the first key ever made on, as `off`
/// before. Where none is wanted, the pages that browsers show are held to PageRules: with keys the
/// key, which no page of another site has, is what keeps them out. A wrong key costs its address a
/// token; where there are none left a wrong key is told to wait (429) and a right one still passes.
/// What is refused for want of a key says so as its surface says errors (401, 403, 429; 503 until
/// the keys are known).
class EdgeGate final : public http::Gate {
 public:
  enum class Auth : std::uint8_t { automatic, on, off };
  struct Parts {
    KeyBook& keys;
    RateLimiter& limiter;
    Auth auth = Auth::automatic;
    std::optional<TokenRate> address_rate;  ///< of every address; nothing: none
    http::TellProblem tell;
    PageRules pages{};                       ///< of browsers, where no key is wanted
    std::vector<IpRange> trusted_proxies{};  ///< which say whose request it is
    GateMetrics* metrics = nullptr;          ///< of what is refused; null: nobody counts
  };
  explicit EdgeGate(Parts parts) : parts_(std::move(parts)) {}

  Task<http::Passage> enter(http::Request& request, std::string_view pattern) override;

 private:
  bool wants_keys() const;
  Task<http::Passage> enter_with(std::string shown, http::Request& request, Scope scope);
  Task<http::Passage> no_such_key(http::Request& request);
  Task<http::Passage> keep_rate(std::string bucket, TokenRate rate, std::string whose,
                                http::Request& request);
  Task<http::Passage> keep_address_rate(http::Request& request);
  /// Whose rates a request counts against, where they are kept by address.
  std::string bucket_of(const http::Request& request) const;
  http::Passage refused(const http::Request& request, const Problem& problem,
                        http::Headers headers) const;

  Parts parts_;
};

}  // namespace millrace::access
