#include "shared/sqlite/threads.h"

#include "shared/runtime/limits.h"
#include "shared/runtime/log.h"

namespace millrace::sqlite {
namespace {

using namespace std::chrono_literals;

// Late enough that a busy second costs 20 syncs for its notes, soon enough for a list.
constexpr auto linger = 50ms;
// Between tries while the disk is full or broken and nobody waits.
constexpr auto retry_pause = 1000ms;

const char* remedy_of(Errc error) {
  if (error == Errc::corrupt) return "restore the file from a backup";
  if (error == Errc::full) return "make room on its disk; jobs are refused until a write succeeds";
  return "mend its disk, or what holds the file; jobs are refused until a write succeeds";
}

}  // namespace

Connection* Reconnecting::get() {
  if (!open_) {
    auto database = Database::open(path_, mode_);
    if (!database) {
      failure_ = database.error().words;
      full_ = database.error().error == Errc::full;
      return nullptr;
    }
    open_ = std::make_unique<Connection>(std::move(*database));
  }
  return open_.get();
}

void Reconnecting::give_up() {
  if (open_) failure_ = open_->database.last_failure();
  open_.reset();
}

WriteThread::WriteThread(std::string path, ReplyRouter& replies)
    : connection_(std::move(path), Database::Mode::write), replies_(replies) {
  thread_ = std::thread([this] { run(); });
}

WriteThread::~WriteThread() {
  queue_.close();
  thread_.join();
}

void WriteThread::run() {
  for (;;) {
    Calls batch;
    const bool open =
        healthy() ? queue_.take(batch, linger) : queue_.take_within(batch, retry_pause);
    if (!open) return;
    write(std::move(batch));
  }
}

void WriteThread::write(Calls batch) {
  const std::size_t rows = batch.size();
  const auto done = commit(batch);
  if (!done) return failed(done.error(), std::move(batch));
  succeeded(rows);
  for (const auto& call : batch) call->committed();
  replies_.deliver(std::move(batch));
}

Result<> WriteThread::commit(const Calls& batch) {
  auto* connection = connection_.get();
  if (!connection) return Failure(connection_.why_closed());
  auto& database = connection->database;
  if (const auto begun = database.run("BEGIN IMMEDIATE"); !begun) return begun;
  if (const auto ran = run_all(connection->tables, batch); !ran) return ran;
  return database.run("COMMIT");
}

Result<> WriteThread::run_all(Tables& tables, const Calls& batch) {
  // An empty batch is a try at whether the disk is back.
  if (batch.empty()) return tables.jobs.probe();
  for (const auto& call : batch)
    if (const auto ran = call->run(tables); !ran) return ran;
  return {};
}

void WriteThread::succeeded(std::size_t rows) {
  commits_.fetch_add(1, std::memory_order_relaxed);
  rows_.fetch_add(rows, std::memory_order_relaxed);
  if (healthy()) return;
  healthy_ = true;
  log::info("store_back");
}

void WriteThread::failed(Errc error, Calls batch) {
  connection_.give_up();  // closing rolls back
  if (healthy_.exchange(false))
    log::error("store_failed", {{"error", to_string(error)},
                                {"words", connection_.failure()},
                                {"remedy", remedy_of(error)}});
  Calls kept;
  Calls answered = queue_.take_awaited();  // they would meet the same
  for (const auto& call : answered)
    call->fail(error == Errc::timed_out ? Errc::unavailable : error);
  for (auto& call : batch) {
    // Nobody can be told about a late call, so it waits for better times, unless it may be its
    // own fault: then it would hold up all that come after it.
    if (call->port == 0 && retryable(error)) {
      kept.push_back(std::move(call));
      continue;
    }
    call->fail(error);
    answered.push_back(std::move(call));
  }
  replies_.deliver(std::move(answered));
  queue_.put_back(std::move(kept));
}

ReadThread::ReadThread(std::string path, ReplyRouter& replies)
    : connection_(std::move(path), Database::Mode::read), replies_(replies) {
  thread_ = std::thread([this] { run(); });
}

ReadThread::~ReadThread() {
  queue_.close();
  thread_.join();
}

void ReadThread::run() {
  (void)connection_.get();  // now: a disk that fails later can still be read from
  for (;;) {
    Calls batch;
    if (!queue_.take(batch, 0ms)) return;
    answer(batch);
    replies_.deliver(std::move(batch));
  }
}

void ReadThread::note_health(bool healthy) {
  if (healthy == std::exchange(healthy_, healthy)) return;
  if (healthy)
    log::info("store_read_back");
  else
    log::error("store_read_failed", {{"words", connection_.failure()}});
}

void ReadThread::answer(const Calls& batch) {
  auto* connection = connection_.get();
  // One snapshot for all: the file locks of a read cost more than the read.
  const bool together = connection && batch.size() > 1 && connection->database.run("BEGIN");
  for (const auto& call : batch) {
    const auto done =
        connection ? call->run(connection->tables) : Result<>(Failure(connection_.why_closed()));
    if (done) continue;
    call->fail(done.error());
    if (connection) connection_.give_up();
    connection = nullptr;
  }
  note_health(connection != nullptr);
  if (together && connection) (void)connection->database.run("COMMIT");
}

}  // namespace millrace::sqlite
