#pragma once
#include "shared/contract/job.h"
#include "shared/sessions.h"

namespace millrace {

/// A job that answers a message of a session, as the model is asked it: its input is what was said
/// before, oldest first, and then the message.
///
/// Read once the job begins: jobs of a session run in order, so every turn before has its answer,
/// and as those stand, each run of the job asks the same. At most `context->messages` messages and
/// `limits::context_bytes_max` bytes of them; a session that has gone has said nothing. Fails where
/// the Store cannot tell.
Task<Result<Job>> in_conversation(Sessions& sessions, Job job);

}  // namespace millrace
