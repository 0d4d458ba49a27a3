#pragma once
#include <memory>
#include <string>

#include "producer/ingress/submit.h"
#include "shared/http/message.h"
#include "shared/outbound/guard.h"

namespace millrace {

/// What one request with many jobs says.
struct JobLines {
  std::string tenant;  ///< of every job
  std::string body;
  std::string idempotency_key;                                    ///< empty: none
  std::string traceparent;                                        ///< of every job; empty: none
  const outbound::Guard& guard = outbound::Guard::public_only();  ///< of their webhooks
};

/// Submits each line of an NDJSON body and answers each by one line, in order:
/// `{"line","id","status"}` or `{"line","error":{problem}}`. Lines count from 1; blank ones are
/// skipped but counted. Many lines are on their way at once; no bad line stops another. When
/// the client leaves, lines not yet begun are not submitted.
///
/// With a key, each line's job is derived from key and line number, so the same request sent
/// again makes no job twice.
Task<> submit_lines(Submit& submit, Clock& clock, IngressMetrics& metrics,
                    std::shared_ptr<const JobLines> lines, http::StreamWriter& out);

}  // namespace millrace
