#pragma once
#include <optional>
#include <string>

#include "shared/runtime/error.h"
#include "shared/runtime/task.h"
#include "shared/runtime/token_bucket.h"

namespace millrace {

/// What the edges of one millrace remember together for a while: values with an end, and buckets
/// of tokens. Anything may be forgotten at any time; nothing stands here alone. One object a loop.
///
/// Names begin with the tenant they belong to, so that none reads another's. `invalid`: a name
/// above `cache_name_bytes_max`, a value above `cache_value_bytes_max`. `unavailable` and
/// `timed_out` (at most `limits::log_command_timeout`) while it is away.
class SharedCache {
 public:
  virtual ~SharedCache() = default;

  /// Nothing: it was never set, its time is over, or it made room for others.
  virtual Task<Result<std::optional<std::string>>> get(std::string name) = 0;
  /// In place of what stood there. `ttl` above 0, at least 1 ms.
  virtual Task<Result<>> set(std::string name, std::string value, Duration ttl) = 0;
  /// Only where nothing stands; false: something did.
  virtual Task<Result<bool>> add(std::string name, std::string value, Duration ttl) = 0;
  /// What is not there is removed already.
  virtual Task<Result<>> remove(std::string name) = 0;

  /// Takes up to `wanted` (1 or more) tokens out of a bucket, as many as are there; atomic among
  /// all who take. A bucket nobody has taken from is full. Values and buckets have names of their
  /// own.
  virtual Task<Result<TokensTaken>> take(std::string bucket, TokenRate rate,
                                         std::uint32_t wanted) = 0;
};

inline constexpr std::size_t cache_name_bytes_max = 1024;
inline constexpr std::size_t cache_value_bytes_max = 1024 * 1024;

}  // namespace millrace
