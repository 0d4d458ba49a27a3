#pragma once
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <deque>
#include <expected>
#include <memory>
#include <string>
#include <unordered_map>

#include "shared/postgres/values.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/error.h"
#include "shared/runtime/nursery.h"
#include "shared/runtime/signal.h"

struct pg_conn;

namespace millrace::postgres {

/// SQL that is prepared at its first use on a connection. One object a text, for life.
struct Statement {
  const char* sql;
};

/// One connection from its opening to its end, on one loop, in libpq's pipeline mode: whatever is
/// run in one turn of the loop leaves together, and nothing waits for the answer before it. Any
/// error of the server ends the connection too: what a transaction had done is rolled back so, and
/// nobody has to know what a pipeline did after an error.
class Connection {
 public:
  /// `patience`: for one statement's answer. A server that gives none, or says nothing at all when
  /// it is asked whether it still stands, is taken for gone.
  Connection(Clock& clock, std::string url, Duration patience);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Connects and prepares the session. The error is libpq's sentence, which holds no password.
  Task<std::expected<void, std::string>> open(Instant by);
  /// Sends and receives until the connection ends, or until cancelled. Whoever waits for an answer
  /// has then got an error.
  Task<> serve();

  /// Sent at once, before the task is awaited. Errors: `closed` (the connection went: it may have
  /// been done), `timed_out` (no answer), `overloaded` (a deadlock: rolled back, try again),
  /// `invalid` (these values cannot be stored), `corrupt`, `full` (its disk is), `unavailable`
  /// (refused by the server, or not sent).
  Task<Result<Rows>> run(const Statement& statement, const Params& params);
  /// The same with a text of the moment.
  Task<Result<Rows>> run_once(const std::string& sql, const Params& params);

  /// Ends it, from within.
  void close(Errc error = Errc::closed);
  bool stands() const { return stands_; }
  /// The server is there, and does not let this login in, or has no such database: nothing that is
  /// tried again without somebody's help.
  bool refused() const { return refused_; }
  /// Why it ended, in words.
  const std::string& failure() const { return failure_; }

 private:
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
  struct Pending {
    std::optional<Result<Rows>> result;
    Clock::TimerId timer{};
    bool awaited = false;
  };
  enum class Kind : std::uint8_t { prepare, query, sync };
  struct Expected {
    Kind kind;
    std::shared_ptr<Pending> pending;  ///< null: nobody hears of it
    Instant sent_at;
  };
  struct Finish {
    void operator()(pg_conn* handle) const noexcept;
  };

  bool watch_socket();
  Task<bool> wait(Descriptor::wait_type what, Instant by);
  Task<std::expected<void, std::string>> connect(Instant by);
  std::string why_not();
  std::expected<void, std::string> accept();
  Task<Result<Rows>> await_answer(std::shared_ptr<Pending> pending);
  std::shared_ptr<Pending> send(const std::string& name, const Statement& statement,
                                const Params& params, bool known);
  void sent(Kind kind, std::shared_ptr<Pending> pending);
  void flush_soon();
  Task<> read_all();
  Task<> write_all();
  Task<> look_after();
  void take_results();
  void take(pg_result* result);
  void answer(Pending& pending, Result<Rows> result);
  void broken(Errc error, std::string words);
  std::string words() const;

  Clock& clock_;
  const std::string url_;
  const Duration patience_;
  std::unique_ptr<pg_conn, Finish> handle_;
  std::unique_ptr<Descriptor> socket_;
  std::deque<Expected> expected_;
  std::unordered_map<const char*, std::string> prepared_;
  Signal to_write_;
  Instant last_heard_{};
  bool sync_due_ = false;
  bool refused_ = false;
  bool stands_ = false;
  std::string failure_;
  Signal ended_;
};

}  // namespace millrace::postgres
