#pragma once
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace millrace {

/// Values by name, of which the one that was not asked for for longest is known: what makes room
/// for others. Not thread-safe. A value stays where it is until it is erased.
template <class T>
class RecentlyUsed {
 public:
  struct Entry {
    std::string name;
    T value;
  };

  /// Null: no such name. Counts as a use.
  T* find(std::string_view name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->value;
  }
  /// The name must not be there.
  T& add(std::string name, T value) {
    entries_.push_front({std::move(name), std::move(value)});
    by_name_.emplace(entries_.front().name, entries_.begin());
    return entries_.front().value;
  }
  void erase(std::string_view name) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return;
    const auto entry = found->second;
    by_name_.erase(found);  // first: its name stands in the entry
    entries_.erase(entry);
  }
  /// There must be one.
  const Entry& oldest() const { return entries_.back(); }
  std::size_t size() const { return entries_.size(); }

 private:
  std::list<Entry> entries_;  ///< the newest use first
  std::unordered_map<std::string_view, typename std::list<Entry>::iterator> by_name_;
};

}  // namespace millrace
