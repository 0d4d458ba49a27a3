#pragma once
#include <string>

#include "producer/conversations/turns.h"
#include "producer/ingress/job_lookup.h"
#include "producer/relay/hub.h"
#include "shared/http/router.h"

namespace millrace::conversations {

/// A message to a session, and its answer:
///
///   POST /api/chat {"session_id","message",…}   waits: `{"content","session_id","message_id",
///                                               "token_usage"}`
///     with `Prefer: respond-async` (RFC 7240) does not: 202
///     `{"session_id","message_id","job_id"}`; the job's events are the native routes'
///   POST /api/chat {"question","features","session_id"}
///                                               SSE, as QuestionFold tells it; a session that is
///                                               not there is made
///   POST /api/chat/stream, a `message`          SSE, as ReplyFold tells it
///   GET /api/chat/stream/{message_id}           the same stream again
///
/// A stream goes on behind the `Last-Event-ID` of its reader: by GET, or by the same POST under the
/// same `Idempotency-Key`. A client that leaves does not end its job: the answer comes into the
/// session. One a loop; outlives the server that uses its router.
class ChatRoutes {
 public:
  struct Parts {
    Turns& turns;
    Sessions& sessions;
    JobLookup& lookup;
    relay::Hub& hub;
    Clock& clock;
    Random& random;
    std::string features;  ///< names that a question's may have, with commas; empty: any
  };
  explicit ChatRoutes(Parts parts) : parts_(std::move(parts)) {}
  ChatRoutes(const ChatRoutes&) = delete;
  ChatRoutes& operator=(const ChatRoutes&) = delete;

  void add_to(http::Router& router);

 private:
  Task<http::Response> chat(http::Request& request);
  Task<http::Response> question(http::Request& request);
  Task<Result<>> have_session(std::string tenant, std::string id);
  Task<http::Response> stream(http::Request& request);
  Task<http::Response> stream_again(http::Request& request);
  Task<http::Response> answer(http::Request& request, JobId id, std::string session);
  http::Response streamed(const JobId& id, const std::string& session, Seq after) const;

  Parts parts_;
};

}  // namespace millrace::conversations
