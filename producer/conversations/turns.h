#pragma once
#include <expected>
#include <string>

#include "producer/conversations/chat_request.h"
#include "producer/conversations/model_probe.h"
#include "producer/ingress/job_lookup.h"
#include "producer/ingress/submit.h"
#include "shared/http/message.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/random.h"
#include "shared/sessions.h"

namespace millrace::conversations {

/// Messages become turns and their jobs. The turn is in the Store before its job is in the queue,
/// and taken back when the queue refuses it; under an `Idempotency-Key` the same request is one
/// turn. One a loop; what the parts name outlives it.
class Turns {
 public:
  struct Parts {
    Sessions& sessions;
    Submit& submit;
    Clock& clock;
    Random& random;
    JobLookup& lookup;
    const ModelProbe& model;
    SessionContext context;  ///< of every message
  };
  explicit Turns(Parts parts) : parts_(parts) {}

  /// What was accepted, or the answer that says why nothing was. The body of the request is what
  /// its key stands for. With the model's server away nothing new is taken, as clients expect.
  Task<std::expected<Receipt, http::Response>> take(const http::Request& request, ChatAsked asked);

 private:
  Task<bool> model_is_away(Job turn, bool own_key);

  Parts parts_;
};

}  // namespace millrace::conversations
