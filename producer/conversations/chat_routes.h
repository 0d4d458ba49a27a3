#pragma once
#include <string>

#include "producer/conversations/chat_request.h"
#include "producer/ingress/job_lookup.h"
#include "producer/ingress/submit.h"
#include "shared/http/router.h"
#include "shared/sessions.h"

namespace millrace::conversations {

/// `POST /api/chat` with a `message`: waits for the answer and gives
/// `{"content","session_id","message_id","token_usage"}`. The turn is in the Store before its job
/// is in the queue, and taken back when the queue refuses it; under an `Idempotency-Key` the same
/// request is one turn. A client that leaves does not end its job: the answer comes into the
/// session. One a loop; outlives the server that uses its router.
class ChatRoutes {
 public:
  struct Parts {
    Sessions& sessions;
    Submit& submit;
    JobLookup& lookup;
    Clock& clock;
    Random& random;
    std::uint32_t context_messages;  ///< that go to the model, the new one among them
  };
  explicit ChatRoutes(Parts parts) : parts_(std::move(parts)) {}
  ChatRoutes(const ChatRoutes&) = delete;
  ChatRoutes& operator=(const ChatRoutes&) = delete;

  void add_to(http::Router& router);

 private:
  Task<http::Response> chat(http::Request& request);
  Task<std::expected<Job, Refusal>> with_context(ChatAsked asked, JobId id);
  Task<http::Response> answer(http::Request& request, JobId id, std::string session);

  Parts parts_;
};

}  // namespace millrace::conversations
