#pragma once
#include <memory>
#include <string>

#include "producer/ingress/cancel.h"
#include "producer/ingress/job_lookup.h"
#include "producer/ingress/submit.h"
#include "producer/openai/asked.h"
#include "producer/openai/reading.h"
#include "shared/http/message.h"
#include "shared/runtime/nursery.h"

/// What every route that answers with a job has in common.
namespace millrace::openai {

/// How long an answer that is not streamed is waited for: a little less than OpenAI's SDKs wait.
inline constexpr auto whole_answer_wait_max = 590s;
/// How long log and Store may take to know a job that has just been accepted.
inline constexpr auto seat_wait_max = 60s;
static_assert(seat_wait_max < whole_answer_wait_max);

/// Judges a POST's headers: one JSON object, and nothing that would be dropped in silence. Its
/// Idempotency-Key, empty where there is none.
std::expected<std::string, Refusal> heard_key(const http::Request& request);

/// A job that somebody waits for.
struct AwaitedJob {
  std::string tenant;
  JobId id;
  bool keyed = false;     ///< can be asked for again by its Idempotency-Key
  bool attached = false;  ///< was there already
  OnLeave on_leave = OnLeave::unsaid;
};

/// Names the job in the answer.
void describe(http::Response& response, const AwaitedJob& job);
/// Of a job that was accepted: what could be tried again has been.
http::Response failed(const Problem& problem);
/// Of a job that may have run: sent again without a key it would be paid for twice.
http::Response unreadable(const Refusal& why, bool keyed);
Refusal unknown_yet();

/// The job as it has ended, or an answer that says why it cannot be had. What a client that left
/// had asked for is ended.
class Answering {
 public:
  struct Parts {
    Submit& submit;
    JobLookup& lookup;
    Cancel& cancel;
    relay::Hub& hub;
    Clock& clock;
  };
  explicit Answering(Parts parts) : parts_(parts), leaving_(parts.clock) {}
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

  /// `body` is what was sent: a key stands for it.
  Task<Submitted> submit(Job job, std::string key, std::string print);

  /// Waits for the job's end; else the response that says why there is none.
  Task<std::expected<StoredJob, http::Response>> ended_job(http::Request& request, AwaitedJob job);

  /// The place of a reader of the log; null when the client leaves, or nobody comes to know the
  /// job.
  Task<std::unique_ptr<relay::Seat>> seat_of(JobId id, const http::WaitingPeer* peer, Signal& wake);
  /// Sends what the reading gives, to its end, or to where the client has left or does not read.
  Task<> stream_to_end(Reading& reading, http::StreamWriter& writer);

  /// Ends the job of a client that left, unless it can or wants to come back.
  void left(const AwaitedJob& job);
  /// Waits for those cancels; called once no request comes any more.
  Task<> join() { return leaving_.join(); }

 private:
  Task<> cancel(std::string tenant, JobId id);

  Parts parts_;
  Nursery leaving_;
};

/// Lets the reading wake this signal, no longer than it is waited for.
class Listening {
 public:
  Listening(Reading& reading, Signal& signal) : reading_(reading) { reading_.wake_with(&signal); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() { reading_.wake_with(nullptr); }

 private:
  Reading& reading_;
};

}  // namespace millrace::openai
