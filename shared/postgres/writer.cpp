#include "shared/postgres/writer.h"

#include <algorithm>
#include <numeric>

#include "shared/runtime/limits.h"
#include "shared/runtime/log.h"

namespace millrace::postgres {
namespace {

// Late enough that a busy second costs 20 commits for its notes, soon enough for a list.
constexpr Duration linger_max = 50ms;
// Between tries while the server refuses, its disk being full, and nobody waits.
constexpr Duration retry_first = 50ms;
constexpr Duration retry_pause = 1s;
constexpr int clashes_max = 5;

constexpr Statement begin_sql{"BEGIN"};
constexpr Statement commit_sql{"COMMIT"};

Task<> run_one(Call& call, Tables& tables, Result<>& all) {
  const auto ran = co_await call.run(tables);
  if (!ran && all) all = ran;  // the first says what went wrong, the others that it did
}

/// Every process locks rows in one order, so that they wait for each other in no circle. Calls
/// about one row stay as they came.
std::vector<Call*> in_order_of_locks(const Calls& batch) {
  std::vector<std::size_t> order(batch.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(batch[i]->locks, i); });
  std::vector<Call*> calls;
  for (const auto i : order) calls.push_back(batch[i].get());
  return calls;
}

/// Nothing is left to write, and whether writing works again is not known.
Task<> probe(Tables& tables, Result<>& all) {
  all = co_await tables.jobs.probe();
}

}  // namespace

Writer::Writer(Clock& clock, Random& random, Link::Options options)
    : clock_(clock),
      desk_(clock),
      link_(clock, random, std::move(options), [this] { desk_.changed().notify(); }) {}

void Writer::finish() {
  finishing_ = true;
  desk_.changed().notify();
}

Task<> Writer::run() {
  Nursery nursery(clock_);
  nursery.start(link_.run());
  struct Stop {
    Nursery& nursery;
    ~Stop() { nursery.stop(); }
  };
  {
    const Stop stop{nursery};
    co_await write_all();
  }
  co_await nursery.join();
}

Task<> Writer::write_all() {
  for (;;) {
    const auto opened = link_.opened();
    if (!opened && link_.down()) {
      refuse_awaited();
      if (finishing_) break;
    }
    if (finishing_ && desk_.empty()) co_return;
    if (!opened || (desk_.empty() && failures_ == 0)) {
      co_await desk_.changed().wait();
      continue;
    }
    co_await linger();
    Calls batch = desk_.take(alone_ > 0 ? 1 : limits::store_batch_rows_max);
    alone_ -= alone_ > 0 ? 1 : 0;
    co_await write(opened, std::move(batch));
  }
  if (!desk_.empty()) log::error("store_notes_dropped", {{"why", "the store is away"}});
}

/// While nobody waits for any of them, others may come and share the commit, and a server that
/// refused has time to get well.
Task<> Writer::linger() {
  if (alone_ > 0) co_return;
  const Duration time = failures_ == 0 ? linger_max : failures_ == 1 ? retry_first : retry_pause;
  const Instant until = clock_.now() + time;
  while (!desk_.awaited() && !desk_.full() && !finishing_) {
    const bool changed = co_await desk_.changed().wait_until(until);
    if (!changed) co_return;
  }
}

Task<> Writer::write(std::shared_ptr<Opened> opened, Calls batch) {
  const std::size_t rows = batch.size();
  const auto done = co_await commit(*opened, batch);
  if (!done) {
    failed(done.error(), opened->connection.failure(), std::move(batch));
    co_return;
  }
  clashes_ = 0;
  failures_ = 0;
  if (refused_.exchange(false)) log::info("store_writes_back");
  commits_.fetch_add(1, std::memory_order_relaxed);
  rows_.fetch_add(rows, std::memory_order_relaxed);
  bring_back(std::move(batch));
}

/// `timed_out`: the commit was sent and its answer did not come. Any other error: rolled back.
Task<Result<>> Writer::commit(Opened& opened, const Calls& batch) {
  Result<> all;
  (void)opened.connection.run(begin_sql, {});
  Nursery running(clock_);
  for (auto* call : in_order_of_locks(batch)) running.start(run_one(*call, opened.tables, all));
  if (batch.empty()) running.start(probe(opened.tables, all));
  co_await running.join();
  if (!all) {
    opened.connection.close();
    const bool unknown = all.error() == Errc::closed || all.error() == Errc::timed_out;
    co_return Failure(unknown ? Errc::unavailable : all.error());
  }
  const auto committed = co_await opened.connection.run(commit_sql, {});
  if (!committed) co_return Failure(Errc::timed_out);
  if (committed->command() != "COMMIT") co_return Failure(Errc::unavailable);
  co_return Result<>();
}

void Writer::failed(Errc error, const std::string& words, Calls batch) {
  if (error == Errc::overloaded && ++clashes_ <= clashes_max) {
    desk_.put_back(std::move(batch));
    return;
  }
  if (error == Errc::invalid && batch.size() > 1) {
    // One of them holds what cannot be stored; the others need not suffer for it.
    alone_ = batch.size();
    desk_.put_back(std::move(batch));
    return;
  }
  clashes_ = 0;
  if (error != Errc::invalid) {
    ++failures_;
    refused_ = true;
  }
  log::error("store_write_failed",
             {{"error", to_string(error)}, {"words", words}, {"calls", batch.size()}});
  Calls kept;
  Calls answered;
  for (auto& call : batch) {
    // Nobody can be told about a late call, so it waits for better times, unless it may be its
    // own fault: then it would hold up all that come after it.
    const bool keep = !call->door && error != Errc::invalid;
    call->fail(error == Errc::overloaded ? Errc::unavailable : error);
    (keep ? kept : answered).push_back(std::move(call));
  }
  bring_back(std::move(answered));
  desk_.put_back(std::move(kept));
}

void Writer::refuse_awaited() {
  Calls refused = desk_.take_awaited();
  for (const auto& call : refused) call->fail(Errc::unavailable);
  bring_back(std::move(refused));
}

}  // namespace millrace::postgres
