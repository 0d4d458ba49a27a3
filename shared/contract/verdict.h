#pragma once
#include <string>
#include <variant>

#include "shared/runtime/time.h"

namespace millrace {

struct Done {};  ///< the answer is in the Store and in the event log
struct Retry {
  Instant at;
};  ///< the same job, not before `at`
struct Dead {
  std::string reason;
};  ///< no attempt will help; the client reads the reason
struct Cancelled {};
struct Expired {};

/// How one delivery ends. Decided in one place (workers/verdict), carried out by the JobQueue.
using Verdict = std::variant<Done, Retry, Dead, Cancelled, Expired>;

}  // namespace millrace
