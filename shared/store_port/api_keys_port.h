#pragma once
#include <string>
#include <utility>
#include <vector>

#include "shared/api_keys.h"
#include "shared/runtime/clock.h"

namespace millrace {

/// One loop's API keys: as StorePort is its Store. All changes agree on one place in the order, so
/// versions rise in the order of commits.
template <class Desks>
class ApiKeysPort final : public ApiKeys {
  using Tables = typename Desks::Tables;

 public:
  ApiKeysPort(Clock& clock, typename Desks::Parts parts) : desks_(clock, parts) {}

  Task<Result<ApiKey>> add(ApiKey key) override {
    return desks_.template write<ApiKey>(
        place(), 0, [key = std::move(key)](Tables& tables) { return tables.api_keys.add(key); });
  }

  Task<Result<ApiKey>> revoke(std::string id, WallTime now) override {
    return desks_.template write<ApiKey>(place(), 0, [id = std::move(id), now](Tables& tables) {
      return tables.api_keys.revoke(id, now);
    });
  }

  Task<Result<std::vector<ApiKey>>> changed_since(std::int64_t version,
                                                  std::uint32_t limit) override {
    return desks_.template read<std::vector<ApiKey>>(
        [version, limit](Tables& tables) { return tables.api_keys.changed_since(version, limit); });
  }

  void note_used(std::string id, WallTime when) override {
    desks_.write_later(place(), 0, [id = std::move(id), when](Tables& tables) {
      return tables.api_keys.note_used(id, when);
    });
  }

 private:
  static typename Desks::Lock place() { return Desks::lock("", "api keys"); }

  Desks desks_;
};

}  // namespace millrace
