#pragma once
#include <memory>
#include <string>

#include "producer/ingress/job_eraser.h"
#include "producer/openai/answering.h"
#include "producer/openai/kept_responses.h"
#include "shared/http/router.h"

namespace millrace::openai {

/// `/v1/responses`: made, streamed, looked at again, cancelled, deleted, and what they were given.
/// One a loop; what the parts name outlives it, and it outlives the server that uses its router.
class ResponseRoutes {
 public:
  struct Parts {
    Submit& submit;
    JobLookup& lookup;
    Cancel& cancel;
    relay::Hub& hub;
    Store& store;
    ObjectStore& objects;
    Clock& clock;
    IngressMetrics& metrics;
    JobEraser& eraser;
  };
  explicit ResponseRoutes(Parts parts)
      : parts_(parts),
        answering_({parts.submit, parts.lookup, parts.cancel, parts.hub, parts.clock}),
        kept_({parts.lookup, parts.store, parts.objects, parts.clock}) {}
  ResponseRoutes(const ResponseRoutes&) = delete;
  ResponseRoutes& operator=(const ResponseRoutes&) = delete;

  void add_to(http::Router& router);
  /// Waits for the cancels of those who left; called once no request comes any more.
  Task<> join() { return answering_.join(); }

 private:
  /// An accepted request.
  struct Response {
    ResponseHead head;
    AwaitedJob job;
  };

  Task<http::Response> create(http::Request& request);
  Task<http::Response> whole(http::Request& request, Response response);
  Task<http::Response> streamed(http::Request& request, Response response);
  Task<> stream(std::shared_ptr<Reading> reading, std::optional<AwaitedJob> awaited,
                http::StreamWriter& writer);

  Task<http::Response> retrieve(http::Request& request);
  http::Response streamed_again(std::unique_ptr<relay::Seat> seat, ResponseHead head,
                                std::optional<Seq> starting_after);
  Task<http::Response> cancel(http::Request& request);
  Task<http::Response> remove(http::Request& request);
  Task<http::Response> input_items(http::Request& request);

  http::Response refused(const Refusal& refusal) const;

  Parts parts_;
  Answering answering_;
  KeptResponses kept_;
};

}  // namespace millrace::openai
