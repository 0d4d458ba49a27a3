#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "shared/postgres/tables.h"
#include "shared/runtime/random.h"

namespace millrace::postgres {

/// A connection and the statements on it.
struct Opened {
  Opened(Clock& clock, const std::string& url, Duration patience)
      : connection(clock, url, patience), tables(connection) {}
  Connection connection;
  Tables tables;
};

/// Keeps a connection up: one that goes is replaced at once, and while the server is away it is
/// tried with growing pauses. Belongs to one loop, but for `down`.
class Link {
 public:
  struct Options {
    std::string url;
    Duration patience;
    const char* purpose;  ///< for the log
  };
  /// `on_change` hears when the connection comes or goes, and when a try has failed.
  Link(Clock& clock, Random& random, Options options, std::function<void()> on_change);

  /// Until cancelled.
  Task<> run();

  /// Null while there is none. What holds it may use it after it has ended: every answer is then
  /// an error.
  std::shared_ptr<Opened> opened() const {
    return opened_ && opened_->connection.stands() ? opened_ : nullptr;
  }
  /// The last try failed: nobody should wait. Any thread.
  bool down() const { return down_.load(std::memory_order_relaxed); }

 private:
  Task<bool> live_once();
  void tell(bool up, const std::string& words);

  Clock& clock_;
  Random& random_;
  const Options options_;
  std::function<void()> on_change_;
  std::shared_ptr<Opened> opened_;
  std::atomic<bool> down_ = false;
};

}  // namespace millrace::postgres
