#pragma once
#include <memory>
#include <string>

#include "producer/openai/answering.h"
#include "producer/openai/chat_fold.h"
#include "producer/openai/chat_request.h"
#include "shared/http/router.h"

namespace millrace::openai {

/// How long the head of a stream is held back for the first word: a failure before it is told by
/// its status, as SDKs expect it.
inline constexpr auto first_word_wait_max = 5s;
static_assert(first_word_wait_max < seat_wait_max);

/// `POST /v1/chat/completions`, streamed and not, on the accept path and the log of all jobs. One a
/// loop; what the parts name outlives it, and it outlives the server that uses its router.
class ChatRoutes {
 public:
  struct Parts {
    Submit& submit;
    JobLookup& lookup;
    Cancel& cancel;
    relay::Hub& hub;
    Clock& clock;
    IngressMetrics& metrics;
  };
  explicit ChatRoutes(Parts parts)
      : parts_(parts),
        answering_({parts.submit, parts.lookup, parts.cancel, parts.hub, parts.clock}) {}
  ChatRoutes(const ChatRoutes&) = delete;
  ChatRoutes& operator=(const ChatRoutes&) = delete;

  void add_to(http::Router& router);
  /// Waits for the cancels of those who left; called once no request comes any more.
  Task<> join() { return answering_.join(); }

 private:
  /// An accepted request.
  struct Chat {
    ChatHead head;
    AwaitedJob job;
  };

  Task<http::Response> complete(http::Request& request);
  Task<http::Response> whole_answer(http::Request& request, Chat chat);
  Task<http::Response> streamed_answer(http::Request& request, Chat chat);
  Task<> until_first_word(Reading& reading, const http::WaitingPeer* peer, Signal& wake);
  Task<> stream(std::shared_ptr<Reading> reading, AwaitedJob job, http::StreamWriter& writer);
  http::Response refused(const Refusal& refusal) const;

  Parts parts_;
  Answering answering_;
};

}  // namespace millrace::openai
