#include "shared/postgres/reader.h"

#include "shared/runtime/limits.h"

namespace millrace::postgres {
namespace {

void bring_one(std::unique_ptr<Call> call) {
  Calls one;
  one.push_back(std::move(call));
  bring_back(std::move(one));
}

}  // namespace

Reader::Reader(Clock& clock, Random& random, Link::Options options)
    : clock_(clock),
      desk_(clock),
      link_(clock, random, std::move(options), [this] { desk_.changed().notify(); }) {}

Task<> Reader::run() {
  Nursery nursery(clock_);
  nursery.start(link_.run());
  nursery.start(take_calls(nursery));
  co_await nursery.join();
}

Task<> Reader::take_calls(Nursery& running) {
  for (;;) {
    const auto opened = link_.opened();
    if (desk_.empty() || (!opened && !link_.down())) {
      co_await desk_.changed().wait();
      continue;
    }
    for (auto& call : desk_.take(limits::store_batch_rows_max)) {
      if (opened) {
        running.start(answer(opened, std::move(call)));
        continue;
      }
      call->fail(Errc::unavailable);
      bring_one(std::move(call));
    }
  }
}

Task<> Reader::answer(std::shared_ptr<Opened> opened, std::unique_ptr<Call> call) {
  const auto ran = co_await call->run(opened->tables);
  // A question may always be put again.
  if (!ran) call->fail(ran.error() == Errc::closed ? Errc::unavailable : ran.error());
  bring_one(std::move(call));
}

}  // namespace millrace::postgres
