#include "shared/postgres/visit.h"

#include "shared/runtime/nursery.h"

namespace millrace::postgres {
namespace {

constexpr Duration one_try = 3s;
constexpr Duration between_tries = 200ms;

Task<> then_close(Task<> work, Connection& connection) {
  co_await std::move(work);
  connection.close();
}

}  // namespace

Told<std::unique_ptr<Visit>> Visit::open(const std::string& url, Duration open_within,
                                         Duration patience) {
  OwnLoop waiting;
  const Instant until = waiting.clock().now() + open_within;
  for (;;) {
    std::unique_ptr<Visit> made(new Visit(url, patience));
    auto& clock = made->loop_.clock();
    const auto opened = made->loop_.get(made->connection_.open(clock.now() + one_try));
    if (opened) return made;
    if (made->connection_.refused() || waiting.clock().now() + between_tries > until)
      return std::unexpected(opened.error());
    waiting.run(waiting.clock().sleep_for(between_tries));
  }
}

Task<> Visit::serve(Task<> beside) {
  Nursery both(loop_.clock());
  both.start(connection_.serve());
  both.start(then_close(std::move(beside), connection_));
  co_await both.join();
}

}  // namespace millrace::postgres
