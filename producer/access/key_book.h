#pragma once
#include <string_view>
#include <unordered_map>

#include "shared/api_keys.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/nursery.h"

namespace millrace::access {

/// A key that was made or revoked counts within this, and the time the Store takes to answer.
inline constexpr auto keys_read_every = 2s;
/// How often the time of a key's last use is written.
inline constexpr auto uses_noted_every = 1min;

/// Every key there is, in memory: a request is judged without asking anybody. One a loop; Store and
/// clock outlive it.
///
/// While the Store is away the keys known last go on: nobody can revoke one there meanwhile.
class KeyBook {
 public:
  KeyBook(ApiKeys& keys, Clock& clock) : keys_(keys), clock_(clock) {}

  /// Reads what has changed; false when the Store did not answer.
  Task<bool> read();
  /// Reads every `keys_read_every`, until cancelled.
  Task<> run();

  /// All keys have been read once.
  bool known() const { return known_; }
  /// A key was ever made, be it revoked by now. False until `known`.
  bool any() const { return !keys_by_hash_.empty(); }
  /// The key of that text, and notes its use; null when there is none, or it was revoked.
  const ApiKey* find(std::string_view text);

 private:
  struct Entry {
    ApiKey key;
    bool used = false;  ///< since it was noted last
  };
  /// Where a hash lies is no secret: whoever could choose it would know its text.
  struct FirstBytes {
    std::size_t operator()(const KeyHash& hash) const noexcept;
  };
  void note_use(Entry& entry);
  void note_uses();

  ApiKeys& keys_;
  Clock& clock_;
  std::unordered_map<KeyHash, Entry, FirstBytes> keys_by_hash_;
  std::int64_t version_ = 0;
  Instant note_at_{};
  bool known_ = false;
  bool said_away_ = false;
};

}  // namespace millrace::access
