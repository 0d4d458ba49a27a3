#pragma once
#include <memory>
#include <string>

#include "producer/ingress/cancel.h"
#include "producer/ingress/job_lookup.h"
#include "producer/ingress/submit.h"
#include "producer/openai/chat_reading.h"
#include "producer/openai/chat_request.h"
#include "shared/http/router.h"
#include "shared/runtime/nursery.h"

namespace millrace::openai {

/// How long an answer that is not streamed is waited for: a little less than OpenAI's SDKs wait.
inline constexpr auto whole_answer_wait_max = 590s;
/// How long the head of a stream is held back for the first word: a failure before it is told by
/// its status, as SDKs expect it.
inline constexpr auto first_word_wait_max = 5s;
/// How long log and Store may take to know a job that has just been accepted.
inline constexpr auto seat_wait_max = 60s;
static_assert(first_word_wait_max < seat_wait_max && seat_wait_max < whole_answer_wait_max);

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
  explicit ChatRoutes(Parts parts) : parts_(parts), leaving_(parts.clock) {}
  ChatRoutes(const ChatRoutes&) = delete;
  ChatRoutes& operator=(const ChatRoutes&) = delete;

  void add_to(http::Router& router);
  /// Waits for the cancels of those who left; called once no request comes any more.
  Task<> join() { return leaving_.join(); }

 private:
  /// An accepted request.
  struct Chat {
    std::string tenant;
    ChatHead head;
    bool keyed = false;     ///< can be asked for again by its Idempotency-Key
    bool attached = false;  ///< was there already
    OnLeave on_leave = OnLeave::unsaid;
  };

  Task<http::Response> complete(http::Request& request);
  Task<http::Response> whole_answer(http::Request& request, Chat chat);
  Task<http::Response> streamed_answer(http::Request& request, Chat chat);
  Task<std::unique_ptr<relay::Seat>> seat_of(JobId id, const http::WaitingPeer* peer, Signal& wake);
  Task<> until_first_word(ChatReading& reading, const http::WaitingPeer* peer, Signal& wake);
  Task<> stream(std::shared_ptr<ChatReading> reading, Chat chat, http::StreamWriter& writer);
  Task<> stream_to_end(ChatReading& reading, http::StreamWriter& writer);

  void left(const Chat& chat);
  Task<> cancel(std::string tenant, JobId id);
  http::Response refused(const Refusal& refusal) const;

  Parts parts_;
  Nursery leaving_;
};

}  // namespace millrace::openai
