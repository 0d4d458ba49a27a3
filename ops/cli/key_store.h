#pragma once
#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "ops/roles/loop.h"
#include "shared/api_keys.h"
#include "shared/runtime/config.h"

namespace millrace::cli {

/// The API keys where DATABASE_URL says they are, reached past any edge: a file may be written
/// beside a running millrace, whose edges read it every 2 s. Blocks.
class KeyStore {
 public:
  enum class Missing { made, is_empty };
  /// A file that is not there is made, or counts as one without keys. Throws std::runtime_error
  /// with a sentence when the store cannot be used.
  KeyStore(const Config& config, Missing missing);
  ~KeyStore();

  Result<ApiKey> add(ApiKey key);
  Result<ApiKey> revoke(const std::string& id);
  /// All of them, the oldest change first.
  Result<std::vector<ApiKey>> all();

  WallTime now() const { return loop_.clock.wall(); }
  Random& random() { return loop_.random; }

 private:
  class Opened;
  template <class T>
  T get(Task<T> task);

  Loop loop_;
  std::unique_ptr<Opened> store_;  ///< null: there is none
  std::unique_ptr<ApiKeys> keys_;
};

}  // namespace millrace::cli
