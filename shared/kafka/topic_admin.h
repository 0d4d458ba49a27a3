#pragma once
#include <expected>
#include <string>
#include <vector>

#include "shared/kafka/client_settings.h"

namespace millrace::kafka {

/// Creates every topic of the installation named by `prefix` (shared/contract/topics.h) that does
/// not exist, and waits until each has a leader for every partition. Existing ones are left as
/// they are. Returns the names of those it created; again is a no-op that returns none.
///
/// 12 partitions; on three brokers or more three replicas of which two must have a record before
/// it counts; jobs, retries and results are kept for the longest deadline and a week, dead letters
/// for 30 days. The error is a sentence for the operator, with what to do.
///
/// Blocks, at most 45 s; not for a loop.
std::expected<std::vector<std::string>, std::string> create_topics(const ClientSettings& settings,
                                                                   const std::string& prefix);

/// How the topics of an installation stand.
struct TopicReport {
  int brokers = 0;
  std::size_t wanted = 0;                 ///< topics
  std::vector<std::string> missing{};     ///< that `create_topics` would make
  std::vector<std::string> leaderless{};  ///< of which a partition cannot be written now
  int replicas_least = 0;                 ///< of any partition; 0 while no topic is there
};
/// Looks and changes nothing; the error is a sentence with what to do. Blocks, at most 10 s.
std::expected<TopicReport, std::string> inspect_topics(const ClientSettings& settings,
                                                       const std::string& prefix);

}  // namespace millrace::kafka
