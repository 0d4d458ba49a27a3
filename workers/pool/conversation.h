#pragma once
#include <string>
#include <vector>

#include "shared/contract/job.h"
#include "shared/sessions.h"

namespace millrace {

/// What a session said before a job's message.
struct Past {
  std::string summary;         ///< of what is older than all that follows; empty: none
  std::vector<Message> older;  ///< not in the summary yet, oldest first; none unless `summarise`
  std::vector<Message> said;   ///< goes to the model as it was said, oldest first
};

/// Read once the job begins: jobs of a session run in order, so every turn before has its answer,
/// and as those stand, each run of the job reads the same. Turns that were not answered, or failed
/// or expired, are left out. `said` begins with a user's message and has at most
/// `context->messages` less the job's own, or half as many more that wait to be summarised
/// together, and `limits::context_bytes_max` bytes; `older` has at most `summarised_messages_max`.
/// A session that has gone has said nothing. Fails where the Store cannot tell.
Task<Result<Past>> read_past(Sessions& sessions, const Job& job);
inline constexpr std::uint32_t summarised_messages_max = 100;

/// The job as the model is asked it: its input is the summary, what was said, and then the message.
Job in_conversation(Job job, const Past& past);

}  // namespace millrace
