#include "shared/postgres/link.h"

#include <algorithm>

#include "shared/runtime/config_value.h"
#include "shared/runtime/log.h"

namespace millrace::postgres {
namespace {

constexpr Duration connect_within = 3s;
constexpr Duration retry_first = 50ms;
constexpr Duration retry_max = 1s;

}  // namespace

Link::Link(Clock& clock, Random& random, Options options, std::function<void()> on_change)
    : clock_(clock),
      random_(random),
      options_(std::move(options)),
      on_change_(std::move(on_change)) {}

Task<> Link::run() {
  Duration pause = retry_first;
  for (;;) {
    const bool lived = co_await live_once();
    pause = lived ? retry_first : std::min(2 * pause, retry_max);
    // Many processes have lost the same server at the same moment.
    const double jitter = 0.5 + random_.unit() / 2;
    co_await clock_.sleep_for(std::chrono::duration_cast<Duration>(pause * jitter));
  }
}

/// True when there was a connection.
Task<bool> Link::live_once() {
  const auto opened = std::make_shared<Opened>(clock_, options_.url, options_.patience);
  const auto connected = co_await opened->connection.open(clock_.now() + connect_within);
  if (!connected) {
    tell(false, connected.error());
    on_change_();
    co_return false;
  }
  tell(true, "");
  opened_ = opened;
  on_change_();
  co_await opened->connection.serve();
  log::warn("store_connection_lost",
            {{"for", options_.purpose}, {"words", opened->connection.failure()}});
  on_change_();
  co_return true;
}

void Link::tell(bool up, const std::string& words) {
  if (down_.exchange(!up) == !up) return;
  if (up)
    log::info("store_back", {{"for", options_.purpose}});
  else
    log::error("store_failed",
               {{"for", options_.purpose},
                {"store", config_value::without_password(options_.url)},
                {"words", words},
                {"remedy", "start Postgres, or correct DATABASE_URL; it is tried again"}});
}

}  // namespace millrace::postgres
