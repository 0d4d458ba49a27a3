#include "producer/access/key_book.h"

#include <cstring>

#include "shared/runtime/log.h"

namespace millrace::access {
namespace {

constexpr std::uint32_t page = 1000;

}  // namespace

std::size_t KeyBook::FirstBytes::operator()(const KeyHash& hash) const noexcept {
  std::size_t first = 0;
  std::memcpy(&first, hash.bytes.data(), sizeof first);
  return first;
}

Task<bool> KeyBook::read() {
  for (;;) {
    auto changed = co_await keys_.changed_since(version_, page);
    if (!changed) {
      if (!std::exchange(said_away_, true))
        log::warn("api_keys_not_read", {{"error", to_string(changed.error())}});
      co_return false;
    }
    for (auto& key : *changed) {
      version_ = key.version;
      const KeyHash hash = key.hash;
      Entry& entry = keys_by_hash_[hash];
      entry.key = std::move(key);
      // When a leaked key was used last is what its owner looks for.
      if (entry.key.revoked_at) note_use(entry);
    }
    if (changed->size() == page) continue;
    known_ = true;
    said_away_ = false;
    co_return true;
  }
}

Task<> KeyBook::run() {
  note_at_ = clock_.now() + uses_noted_every;
  for (;;) {
    (void)co_await read();
    if (clock_.now() >= note_at_) note_uses();
    co_await clock_.sleep_for(keys_read_every);
  }
}

const ApiKey* KeyBook::find(std::string_view text) {
  const auto hash = hash_of_key(text);
  if (!hash) return nullptr;
  const auto found = keys_by_hash_.find(*hash);
  if (found == keys_by_hash_.end() || found->second.key.revoked_at) return nullptr;
  found->second.used = true;
  return &found->second.key;
}

void KeyBook::note_use(Entry& entry) {
  if (std::exchange(entry.used, false)) keys_.note_used(entry.key.id, clock_.wall());
}

void KeyBook::note_uses() {
  note_at_ = clock_.now() + uses_noted_every;
  for (auto& [hash, entry] : keys_by_hash_) note_use(entry);
}

}  // namespace millrace::access
