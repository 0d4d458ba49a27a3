#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "shared/api_keys.h"

namespace millrace::access::test {

/// Keys in memory, as the Store keeps them.
class FakeKeys final : public ApiKeys {
 public:
  bool away = false;
  int reads = 0;
  std::vector<ApiKey> all;
  std::map<std::string, WallTime> used;

  /// Makes a key and answers its text.
  std::string make(std::string tenant, Scopes scopes = {Scope::submit, Scope::read},
                   std::optional<TokenRate> rate = {}) {
    const std::string text = new_api_key(random_);
    ApiKey key;
    key.hash = hash_of_key(text).value();
    key.id = key_id(key.hash);
    key.tenant = std::move(tenant);
    key.scopes = scopes;
    key.rate = rate;
    key.version = ++version_;
    all.push_back(key);
    return text;
  }
  void revoke_text(const std::string& text) {
    const auto id = key_id(hash_of_key(text).value());
    const auto key = std::ranges::find(all, id, &ApiKey::id);
    key->revoked_at = WallTime{};
    key->version = ++version_;
  }

  Task<Result<ApiKey>> add(ApiKey) override { co_return Failure(Errc::invalid); }
  Task<Result<ApiKey>> revoke(std::string, WallTime) override { co_return Failure(Errc::invalid); }
  Task<Result<std::vector<ApiKey>>> changed_since(std::int64_t version,
                                                  std::uint32_t limit) override {
    ++reads;
    if (away) co_return Failure(Errc::unavailable);
    std::vector<ApiKey> changed;
    std::ranges::sort(all, {}, &ApiKey::version);
    for (const auto& key : all)
      if (key.version > version && changed.size() < limit) changed.push_back(key);
    co_return changed;
  }
  void note_used(std::string id, WallTime when) override { used[id] = when; }

 private:
  SeededRandom random_{1};
  std::int64_t version_ = 0;
};

}  // namespace millrace::access::test
