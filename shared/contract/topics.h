#pragma once
#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "shared/contract/job.h"

/// Names of everything in Kafka. The prefix (`millrace` unless configured) keeps two
/// installations, or a test and its neighbour, apart on one broker.
namespace millrace::topics {

struct RetryTier {
  std::string_view suffix;
  std::chrono::seconds delay;
};
/// A job waits in the shortest tier that covers its wait; the last is for envelopes of a newer
/// version, which wait an hour before they are given up.
inline constexpr std::array<RetryTier, 4> retry_tiers{{{"retry.30s", std::chrono::seconds(30)},
                                                       {"retry.2m", std::chrono::minutes(2)},
                                                       {"retry.10m", std::chrono::minutes(10)},
                                                       {"retry.1h", std::chrono::hours(1)}}};
/// What the workers of a group read.
inline constexpr std::array<std::string_view, 4> jobs{"jobs.session", "jobs.chat", "jobs.analysis",
                                                      "jobs.batch"};
inline constexpr std::string_view dead = "dead";
inline constexpr std::string_view results = "results";

/// The suffix of the topic this job goes to: `jobs.session` for any job with a session.
std::string_view for_job(const Job& job);
std::string full(std::string_view prefix, std::string_view suffix);

// Header names.
inline constexpr const char* kind_header = "millrace-kind";
inline constexpr const char* attempt_header = "millrace-attempt";
inline constexpr const char* trace_header =
    "traceparent";                                         ///< as in the envelope, where it has one
inline constexpr const char* due_header = "millrace-due";  ///< ms since 1970: not before
inline constexpr const char* origin_header = "millrace-origin";  ///< topic to return to
inline constexpr const char* reason_header = "millrace-reason";  ///< why it is dead

}  // namespace millrace::topics
