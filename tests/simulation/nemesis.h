#pragma once
#include "tests/simulation/cluster.h"

namespace millrace::sim {

inline constexpr Duration longest_stop = 30s;

/// Makes the trouble that a plan allows, until its time is over; then mends everything.
class Nemesis {
 public:
  Nemesis(World& world, Servers& servers, Cluster& cluster, const Plan& plan);
  Nemesis(const Nemesis&) = delete;
  Nemesis& operator=(const Nemesis&) = delete;

  bool over() const { return over_; }
  /// Leases ended at other times than anybody could have known.
  bool log_clock_jumped() const { return log_clock_jumped_; }

 private:
  using Act = void (Nemesis::*)();
  void brew();
  void strike();
  void mend();
  void crash();
  void stop_one();
  void drain_one();
  void lose_log();
  void restart_log();
  void log_away();
  void store_away();
  void broker_away();
  void jump_wall();
  void jump_log_clock();
  void away(Host& host, Duration time);
  void back(Host& host);
  /// A process that is up, of either kind; null where there is none.
  Process* any();

  World& world_;
  Servers& servers_;
  Cluster& cluster_;
  const Plan& plan_;
  std::vector<Act> acts_;
  bool over_ = false;
  bool log_clock_jumped_ = false;
};

}  // namespace millrace::sim
