#pragma once
#include "shared/postgres/desk.h"
#include "shared/postgres/link.h"
#include "shared/runtime/nursery.h"

namespace millrace::postgres {

/// Runs what comes to its desk on a connection of its own, each by itself, all at once. On the
/// store's loop, but for its health.
class Reader {
 public:
  Reader(Clock& clock, Random& random, Link::Options options);

  Desk& desk() { return desk_; }
  /// False while the server is away. Any thread.
  bool healthy() const { return !link_.down(); }
  /// Until cancelled.
  Task<> run();

 private:
  Task<> take_calls(Nursery& running);
  Task<> answer(std::shared_ptr<Opened> opened, std::unique_ptr<Call> call);

  Clock& clock_;
  Desk desk_;
  Link link_;
};

}  // namespace millrace::postgres
