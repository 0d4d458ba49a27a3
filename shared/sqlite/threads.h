#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include "shared/sqlite/call_queue.h"
#include "shared/sqlite/reply_router.h"

namespace millrace::sqlite {

/// A connection and the statements prepared on it.
struct Connection {
  explicit Connection(Database opened) : database(std::move(opened)), tables(database) {}
  Database database;
  Tables tables;
};

/// A connection that is opened again after it failed: what a broken disk did to it is forgotten.
class Reconnecting {
 public:
  Reconnecting(std::string path, Database::Mode mode) : path_(std::move(path)), mode_(mode) {}
  /// Null when the file cannot be opened now; the reason is in `failure`.
  Connection* get();
  /// Takes note of the failure and drops the connection.
  void give_up();
  const std::string& failure() const { return failure_; }
  /// What that comes to for a call while nothing is open: `full` or `unavailable`.
  Errc why_closed() const { return full_ ? Errc::full : Errc::unavailable; }

 private:
  std::string path_;
  Database::Mode mode_;
  std::unique_ptr<Connection> open_;
  std::string failure_;
  bool full_ = false;
};

/// The one thread that writes: whatever queued while the last batch was being synced goes into
/// one transaction. Ends, when its queue is closed, after writing what is left.
class WriteThread {
 public:
  WriteThread(std::string path, ReplyRouter& replies);
  ~WriteThread();

  CallQueue& queue() { return queue_; }
  bool healthy() const { return healthy_.load(std::memory_order_relaxed); }
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  std::uint64_t rows() const { return rows_.load(std::memory_order_relaxed); }

 private:
  void run();
  void write(Calls batch);
  Result<> commit(const Calls& batch);
  Result<> run_all(Tables& tables, const Calls& batch);
  void succeeded(std::size_t rows);
  void failed(Errc error, Calls batch);

  Reconnecting connection_;
  ReplyRouter& replies_;
  CallQueue queue_;
  std::atomic<bool> healthy_ = true;
  std::atomic<std::uint64_t> commits_ = 0;
  std::atomic<std::uint64_t> rows_ = 0;
  std::thread thread_;
};

/// A thread that reads on a connection of its own, so that nothing it answers waits for a sync.
class ReadThread {
 public:
  ReadThread(std::string path, ReplyRouter& replies);
  ~ReadThread();

  CallQueue& queue() { return queue_; }

 private:
  void run();
  void answer(const Calls& batch);
  void note_health(bool healthy);

  Reconnecting connection_;
  ReplyRouter& replies_;
  CallQueue queue_;
  bool healthy_ = true;
  std::thread thread_;
};

}  // namespace millrace::sqlite
