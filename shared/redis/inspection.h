#pragma once
#include <expected>
#include <string>

#include "shared/redis/address.h"

namespace millrace::redis {

/// What a Redis says of itself, as far as a millrace depends on it.
struct Inspection {
  std::string version;
  std::string role;          ///< `master` takes writes
  bool append_only = false;  ///< its file of commands is on
  std::string last_write;    ///< of that file: `ok`, or it could not
  std::string eviction;      ///< `maxmemory-policy`
  std::string store_id;      ///< the Store this Redis belongs to; empty: of none yet
};

/// Asks and changes nothing. The error is a sentence without secrets. Blocks, at most 5 s a step.
std::expected<Inspection, std::string> inspect(const Address& address);

}  // namespace millrace::redis
