#pragma once
#include <string>
#include <vector>

#include "tests/simulation/chance.h"
#include "tests/simulation/servers.h"

namespace millrace::sim {

/// What may go wrong in one run. A seed allows some and not others, so that each run goes deep
/// into a few troubles instead of drowning in all of them.
struct Troubles {
  bool crashes = false;
  bool stops = false;  ///< SIGSTOP, and SIGCONT up to 30 s later
  bool drains = false;
  bool log_loses_all = false;  ///< FLUSHALL
  bool log_restarts = false;   ///< with its data, under another run id
  bool log_away = false;
  bool store_away = false;
  bool broker_away = false;
  bool lossy_log = false;  ///< requests and answers are lost, delayed, refused
  bool lossy_store = false;
  bool lossy_broker = false;
  bool lossy_pushes = false;
  bool bad_model = false;
  bool wall_jumps = false;       ///< of single hosts
  bool log_clock_jumps = false;  ///< the clock that leases run by
};

/// How one reader reads.
struct ReaderPlan {
  Duration begins_after{};
  bool snapshot = false;
  std::uint32_t cuts = 0;    ///< how often it is cut off, at any byte
  std::uint32_t stalls = 0;  ///< how often it stops reading for a while
};

struct JobPlan {
  Instant at{};
  std::string tag;
  std::string session;
  std::string key;
  std::size_t words = 0;
  std::uint64_t gap_ms = 0;
  double deadline_s = 0;           ///< 0: the default
  std::int64_t not_before_ms = 0;  ///< after its submission; 0: at once
  std::uint32_t copies = 1;        ///< of the request, at once (with a key)
  std::uint32_t wait_s = 0;        ///< Prefer: wait
  std::optional<Duration> cancel_after;
  std::vector<ReaderPlan> readers;
};

struct Plan {
  bool calm = false;  ///< nothing goes wrong but clients' connections
  Troubles troubles;
  Duration trouble_for{};  ///< from the beginning; then all is mended
  std::size_t edges = 2;
  std::size_t workers = 2;
  std::uint32_t jobs_in_flight = 8;
  bool prefill = false;
  memory::LogServer::Options log;
  std::vector<JobPlan> jobs;

  /// Readers may have seen what the log does not have any more.
  bool log_may_lose() const {
    return troubles.log_loses_all || troubles.log_restarts ||
           log.events_ttl < limits::log_kept_after_end;
  }
  /// Of a long log old events that are no text are let go.
  bool log_may_shorten() const { return log.log_events_max < limits::log_events_max; }
  /// Who reads while it is away is given the stored end behind a gap; who begins a job whose record
  /// could not be made cannot know that there was none.
  bool log_may_be_away() const {
    return troubles.log_away || troubles.lossy_log || troubles.log_restarts;
  }
};

Plan make_plan(Chance& chance, Instant begin);
std::string describe(const Plan& plan);

}  // namespace millrace::sim
