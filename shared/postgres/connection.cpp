#include "shared/postgres/connection.h"

#include <fcntl.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>
#include <regex>

namespace millrace::postgres {
namespace {

constexpr Duration look_every = 250ms;
/// A quiet connection is asked whether it still stands: nothing else tells of a stopped server.
constexpr Duration ask_after = 2s;
/// The server gives up first, and says so.
constexpr Duration server_gives_up_before = 500ms;
constexpr int oldest_server = 120000;
constexpr std::string_view no_descriptor = "no file descriptor is free for it";

const auto answered = boost::system::errc::make_error_code(boost::system::errc::interrupted);

/// `off` would answer before anything is on a disk.
constexpr const char* session_sql =
    "SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false),"
    " set_config('idle_in_transaction_session_timeout', $1, false),"
    " set_config('default_transaction_isolation', 'read committed', false),"
    " set_config('synchronous_commit', CASE current_setting('synchronous_commit')"
    " WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)";

/// Ends everything that runs on one connection; caught where it began.
struct Broken : std::exception {};

/// By SQLSTATE (Postgres's documentation, appendix A).
Errc errc_of(std::string_view state) {
  if (state == "XX001" || state == "XX002") return Errc::corrupt;
  if (state.starts_with("22") || state.starts_with("23") || state.starts_with("54"))
    return Errc::invalid;
  if (state == "53100") return Errc::full;
  if (state.starts_with("40")) return Errc::overloaded;
  // Told to go while it was at it: whether a commit was through is not known.
  if (state.starts_with("57P")) return Errc::closed;
  return Errc::unavailable;
}

/// A failed connection tells its SQLSTATE in its words alone, `FATAL:  28P01: …`, where it is asked
/// to be verbose, and its place in the server's source after them. Takes both out.
std::vector<std::string> take_states(std::string& words) {
  static const std::regex place("\nLOCATION:[^\n]*");
  static const std::regex state(":  ([0-9A-Z]{5}): ");
  words = std::regex_replace(words, place, "");
  std::vector<std::string> states;
  for (std::sregex_iterator at(words.begin(), words.end(), state), end; at != end; ++at)
    states.push_back((*at)[1]);
  words = std::regex_replace(words, state, ":  ");
  return states;
}

bool refuses_login(std::string_view state) {
  constexpr std::string_view no_such_database = "3D000";
  return state.starts_with("28") || state == no_such_database;
}

/// libpq's words have lines, some of them indented.
std::string one_line(std::string_view words) {
  std::string line;
  for (const char c : words) {
    if (c == '\n')
      line += "; ";
    else if (c != '\t')
      line += c;
  }
  while (line.ends_with("; ")) line.resize(line.size() - 2);
  return line;
}

}  // namespace

void Connection::Finish::operator()(pg_conn* handle) const noexcept {
  PQfinish(handle);
}

Connection::Connection(Clock& clock, std::string url, Duration patience)
    : clock_(clock), url_(std::move(url)), patience_(patience), to_write_(clock), ended_(clock) {}

Connection::~Connection() = default;

std::string Connection::words() const {
  return one_line(PQerrorMessage(handle_.get()));
}

// --- the beginning

Task<std::expected<void, std::string>> Connection::open(Instant by) {
  // What the URL says wins over what stands before it.
  constexpr std::array names{"fallback_application_name", "tcp_user_timeout",
                             "keepalives_idle",           "dbname",
                             "client_encoding",           ""};
  const std::string user_timeout = std::to_string(patience_ / 1ms);
  std::array<const char*, names.size()> keys = names;
  keys.back() = nullptr;
  const std::array<const char*, names.size()> values{
      "millrace", user_timeout.c_str(), "10", url_.c_str(), "UTF8", nullptr};
  handle_.reset(PQconnectStartParams(keys.data(), values.data(), 1));
  if (!handle_) co_return std::unexpected("no memory for a connection");
  PQsetNoticeReceiver(handle_.get(), [](void*, const pg_result*) noexcept {}, nullptr);
  PQsetErrorVerbosity(handle_.get(), PQERRORS_VERBOSE);
  const auto connected = co_await connect(by);
  if (!connected) co_return connected;
  PQsetErrorVerbosity(handle_.get(), PQERRORS_DEFAULT);
  const auto fit = accept();
  if (!fit) co_return fit;
  if (!watch_socket()) co_return std::unexpected(std::string(no_descriptor));
  stands_ = true;
  last_heard_ = clock_.now();
  (void)run_once(session_sql, Params().add((patience_ - server_gives_up_before) / 1ms));
  co_return std::expected<void, std::string>();
}

/// libpq may have another socket after each step, under the same number too; and one that breaks it
/// closes itself, whereupon the number may be anybody's. So the loop watches by a number of its
/// own.
bool Connection::watch_socket() {
  socket_.reset();
  const int own = ::fcntl(PQsocket(handle_.get()), F_DUPFD_CLOEXEC, 0);
  if (own < 0) return false;
  socket_ = std::make_unique<Descriptor>(clock_.loop(), own);
  return true;
}

std::string Connection::why_not() {
  std::string why = PQerrorMessage(handle_.get());
  refused_ = std::ranges::any_of(take_states(why), refuses_login);
  return one_line(why);
}

Task<std::expected<void, std::string>> Connection::connect(Instant by) {
  auto next = PGRES_POLLING_WRITING;
  while (next != PGRES_POLLING_OK) {
    if (PQstatus(handle_.get()) == CONNECTION_BAD || next == PGRES_POLLING_FAILED)
      co_return std::unexpected(why_not());
    if (!watch_socket()) co_return std::unexpected(std::string(no_descriptor));
    const bool ready = co_await wait(
        next == PGRES_POLLING_READING ? Descriptor::wait_read : Descriptor::wait_write, by);
    socket_.reset();
    if (!ready) co_return std::unexpected("no answer in time");
    next = PQconnectPoll(handle_.get());
  }
  co_return std::expected<void, std::string>();
}

/// False when `by` came first, or the socket failed.
Task<bool> Connection::wait(Descriptor::wait_type what, Instant by) {
  struct Watch {
    Descriptor* socket;
    bool late = false;
  };
  const auto watch = std::make_shared<Watch>(socket_.get());
  Clock::TimerId timer;
  clock_.async_wait(by, &timer, [watch](boost::system::error_code early) {
    if (early || !watch->socket) return;
    watch->late = true;
    watch->socket->cancel();
  });
  boost::system::error_code error;
  co_await socket_->async_wait(what, asio::redirect_error(use_task, error));
  watch->socket = nullptr;
  clock_.finish(timer, answered);
  if (error == asio::error::operation_aborted && !watch->late)
    throw boost::system::system_error(error);
  co_return !error;
}

std::expected<void, std::string> Connection::accept() {
  const int version = PQserverVersion(handle_.get());
  if (version < oldest_server)
    return std::unexpected("it is Postgres " + std::to_string(version / 10000) +
                           "; millrace needs 12 or newer");
  const char* encoding = PQparameterStatus(handle_.get(), "server_encoding");
  if (!encoding || std::string_view(encoding) != "UTF8")
    return std::unexpected("the database keeps its text as " +
                           std::string(encoding ? encoding : "?") +
                           "; make one with ENCODING 'UTF8'");
  if (PQsetnonblocking(handle_.get(), 1) != 0 || PQenterPipelineMode(handle_.get()) != 1)
    return std::unexpected(words());
  return {};
}

// --- what is asked

Task<Result<Rows>> Connection::run(const Statement& statement, const Params& params) {
  const auto [known, fresh] =
      prepared_.try_emplace(statement.sql, "millrace_" + std::to_string(prepared_.size()));
  return await_answer(send(known->second, statement, params, !fresh));
}

Task<Result<Rows>> Connection::run_once(const std::string& sql, const Params& params) {
  return await_answer(send("", {sql.c_str()}, params, false));
}

/// Without a name of its own, SQL is prepared as it is run.
std::shared_ptr<Connection::Pending> Connection::send(const std::string& name,
                                                      const Statement& statement,
                                                      const Params& params, bool known) {
  auto pending = std::make_shared<Pending>();
  if (!stands_) {
    pending->result = Failure(Errc::unavailable);
    return pending;
  }
  const auto raw = params.raw();
  const int count = static_cast<int>(raw.values.size());
  bool taken = known;
  if (!known) {
    taken = PQsendPrepare(handle_.get(), name.c_str(), statement.sql, 0, nullptr) == 1;
    sent(Kind::prepare, pending);
  }
  taken = taken && PQsendQueryPrepared(handle_.get(), name.c_str(), count, raw.values.data(),
                                       raw.lengths.data(), raw.formats.data(), 0) == 1;
  sent(Kind::query, pending);
  if (!taken) broken(Errc::closed, words());
  flush_soon();
  return pending;
}

void Connection::sent(Kind kind, std::shared_ptr<Pending> pending) {
  expected_.push_back({kind, std::move(pending), clock_.now()});
}

void Connection::flush_soon() {
  sync_due_ = true;
  to_write_.notify();
}

Task<Result<Rows>> Connection::await_answer(std::shared_ptr<Pending> pending) {
  if (!pending->result) {
    boost::system::error_code ended;
    pending->awaited = true;
    co_await clock_.async_wait(Instant::max(), &pending->timer,
                               asio::redirect_error(use_task, ended));
    if (!pending->result) throw boost::system::system_error(asio::error::operation_aborted);
  }
  co_return std::move(*pending->result);
}

void Connection::answer(Pending& pending, Result<Rows> result) {
  if (pending.result) return;
  pending.result = std::move(result);
  if (pending.awaited) clock_.finish(pending.timer, answered);
}

// --- its life

Task<> Connection::serve() {
  struct Over {  // however it ends, those who wait hear of it
    Connection& self;
    ~Over() {
      self.broken(Errc::closed, "it was given up");
      self.socket_.reset();
    }
  } over{*this};
  Nursery all(clock_);
  all.start(read_all());
  all.start(write_all());
  all.start(look_after());
  try {
    co_await all.join();
  } catch (const Broken&) {
  }
}

Task<> Connection::read_all() {
  for (;;) {
    co_await socket_->async_wait(Descriptor::wait_read, use_task);
    if (PQconsumeInput(handle_.get()) != 1) {
      take_results();  // a server that goes may have said why
      broken(Errc::closed, words());
    }
    take_results();
    if (!stands_) throw Broken();
  }
}

Task<> Connection::write_all() {
  for (;;) {
    while (!sync_due_) co_await to_write_.wait();
    sync_due_ = false;
    if (!stands_) throw Broken();
    if (PQpipelineSync(handle_.get()) != 1) broken(Errc::closed, words());
    sent(Kind::sync, nullptr);
    for (int left = 1; left != 0 && stands_;) {
      left = PQflush(handle_.get());
      if (left < 0) broken(Errc::closed, words());
      if (left > 0) co_await socket_->async_wait(Descriptor::wait_write, use_task);
    }
    if (!stands_) throw Broken();
  }
}

Task<> Connection::look_after() {
  for (;;) {
    if (!stands_) throw Broken();
    (void)co_await ended_.wait_until(clock_.now() + look_every);
    const Instant now = clock_.now();
    if (!expected_.empty() && now - expected_.front().sent_at > patience_)
      broken(Errc::timed_out, "no answer in time");
    if (expected_.empty() && now - last_heard_ > ask_after) flush_soon();
  }
}

void Connection::take_results() {
  last_heard_ = clock_.now();
  while (!expected_.empty() && PQisBusy(handle_.get()) == 0) take(PQgetResult(handle_.get()));
}

/// A query's results end with a null; a synchronisation is one result without.
void Connection::take(pg_result* result) {
  if (!result) {
    expected_.pop_front();
    return;
  }
  Rows rows(result);
  const auto status = PQresultStatus(result);
  const auto& front = expected_.front();
  if (status == PGRES_PIPELINE_SYNC) {
    expected_.pop_front();
  } else if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
    if (front.kind == Kind::query && front.pending) answer(*front.pending, std::move(rows));
  } else {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const Errc error = errc_of(state ? state : "");
    if (front.pending) answer(*front.pending, Failure(error));
    broken(error == Errc::closed ? error : Errc::unavailable,
           one_line(PQresultErrorMessage(result)));
  }
}

void Connection::broken(Errc error, std::string why) {
  if (!std::exchange(stands_, false)) return;
  failure_ = std::move(why);
  for (auto& expected : std::exchange(expected_, {}))
    if (expected.pending) answer(*expected.pending, Failure(error));
  to_write_.notify();
  ended_.notify();
}

void Connection::close(Errc error) {
  broken(error, "it was closed");
}

}  // namespace millrace::postgres
