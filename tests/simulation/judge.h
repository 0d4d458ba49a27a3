#pragma once
#include <map>
#include <unordered_map>

#include "tests/simulation/clients.h"
#include "tests/simulation/nemesis.h"

namespace millrace::sim {

/// Watches a run and breaks it off when a promise is not kept (design.md, P1 to P7); looks at
/// everything once more when it is over.
class Judge {
 public:
  Judge(World& world, Servers& servers, const Clients& clients, const Nemesis& nemesis,
        const Plan& plan);

  /// Every accepted job has ended, every reader has its end, and nothing is left in the queue.
  bool all_done() const;
  /// Once all should be done.
  void sum_up();

 private:
  void on_finish(const JobId& id, const Outcome& outcome);
  void on_begin(const BeginRequest& request, const Begun& begun);
  void on_append(const JobId& id, const Token& token, const std::optional<Token>& holder,
                 std::string_view lines);
  bool told_of(const JobId& id, const EventLine& first, Seq last);
  void on_produce(const memory::PartitionName& name, const memory::Record& record);

  void all_ended_once();
  void answers_are_right();
  void readers_saw_the_truth();
  void sessions_kept_their_order();
  void nothing_ran_twice();
  void ends_were_published();
  void calm_was_quick();
  void cancels_were_quick();

  World& world_;
  Servers& servers_;
  const Clients& clients_;
  const Nemesis& nemesis_;
  const Plan& plan_;
  std::unordered_map<JobId, Instant> ended_at_;
  std::unordered_map<JobId, Seq> numbered_;  ///< the last number each log has
  std::map<std::string, std::vector<JobId>> session_order_;
  std::unordered_map<JobId, JobState> results_;  ///< as published
  std::unordered_map<JobId, std::uint32_t> dead_letters_;
};

}  // namespace millrace::sim
