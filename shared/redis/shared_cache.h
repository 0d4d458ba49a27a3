#pragma once
#include "shared/redis/connection.h"
#include "shared/runtime/limits.h"
#include "shared/shared_cache.h"

namespace millrace {

/// The SharedCache in Redis (keys: shared/contract/keys.h), on a connection of its own; buckets go
/// by the server's clock. One a loop; `run` keeps the connection and must have ended before the
/// object goes.
class RedisSharedCache final : public SharedCache {
 public:
  /// `url` as in RedisEventLog. Throws std::invalid_argument when it is malformed.
  RedisSharedCache(Clock& clock, const std::string& url,
                   Duration command_timeout = limits::log_command_timeout);

  /// Keeps the connection until cancelled.
  Task<> run() { return connection_.run(); }

  Task<Result<std::optional<std::string>>> get(std::string name) override;
  Task<Result<>> set(std::string name, std::string value, Duration ttl) override;
  Task<Result<bool>> add(std::string name, std::string value, Duration ttl) override;
  Task<Result<>> remove(std::string name) override;
  Task<Result<TokensTaken>> take(std::string bucket, TokenRate rate, std::uint32_t wanted) override;

 private:
  Task<Result<redis::Reply>> ask(redis::CommandBuffer command, Instant by);

  redis::Connection connection_;
};

}  // namespace millrace
