#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/runtime/error.h"
#include "shared/runtime/random.h"
#include "shared/runtime/task.h"
#include "shared/runtime/token_bucket.h"

namespace millrace {

/// What a key may do. None includes another.
enum class Scope : std::uint8_t { submit = 1, read = 2, admin = 4 };

class Scopes {
 public:
  Scopes() = default;
  Scopes(std::initializer_list<Scope> scopes) {
    for (const Scope scope : scopes) add(scope);
  }
  void add(Scope scope) { bits_ |= static_cast<std::uint8_t>(scope); }
  bool has(Scope scope) const { return (bits_ & static_cast<std::uint8_t>(scope)) != 0; }
  bool operator==(const Scopes&) const = default;

  /// `submit,read`: any of the three with commas between them. Nothing for anything else.
  static std::optional<Scopes> parse(std::string_view text);
  std::string str() const;

 private:
  std::uint8_t bits_ = 0;
};

std::string_view to_string(Scope scope);

/// SHA-256 of a key's text: all that is kept of it.
struct KeyHash {
  std::array<std::uint8_t, 32> bytes{};
  bool operator==(const KeyHash& other) const;  ///< in constant time
  std::string str() const;                      ///< 64 hex digits
  static std::optional<KeyHash> parse(std::string_view hex);
};

/// The text of a new key, `mr_` and 64 hex digits: 256 random bits. Shown once, kept nowhere.
std::string new_api_key(Random& random);
/// Nothing for what cannot be a key.
std::optional<KeyHash> hash_of_key(std::string_view text);

/// 1 to 64 letters, digits, `.`, `_` and `-`, of which the first is a letter or a digit: what a
/// tenant may be called.
bool is_tenant_name(std::string_view text);

/// A key as the Store knows it.
struct ApiKey {
  std::string id;  ///< by which people speak of it: `key_` and the first 16 digits of its hash
  KeyHash hash;
  std::string tenant = "default";
  std::string name;  ///< what people call it; may be empty
  Scopes scopes;
  std::optional<TokenRate> rate;  ///< nothing: no limit of its own
  WallTime created_at{};
  std::optional<WallTime> last_used;  ///< to the minute
  std::optional<WallTime> revoked_at;
  std::int64_t version = 0;  ///< rises over all keys with each change but a use
};

/// The id that belongs to this hash.
std::string key_id(const KeyHash& hash);

/// Above: no more keys, revoked ones included. An edge has all of them in memory.
inline constexpr std::int64_t api_keys_max = 100'000;

/// The API keys in the Store. One object a loop. Errors as in Store; durable on return.
class ApiKeys {
 public:
  virtual ~ApiKeys() = default;

  /// As it was kept, with its version. `conflict`: that key is there; `overloaded`: there are
  /// `api_keys_max`.
  virtual Task<Result<ApiKey>> add(ApiKey key) = 0;
  /// From `now` on it is nobody's; one that was revoked before stays as it was. `not_found`.
  virtual Task<Result<ApiKey>> revoke(std::string id, WallTime now) = 0;
  /// Those that changed after that version (0: all there ever were), at most `limit`, by rising
  /// version: whoever asks again with the last one's misses none.
  virtual Task<Result<std::vector<ApiKey>>> changed_since(std::int64_t version,
                                                          std::uint32_t limit) = 0;
  /// Notes, later, that it was used; nobody waits.
  virtual void note_used(std::string id, WallTime when) = 0;
};

}  // namespace millrace
