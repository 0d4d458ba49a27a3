#pragma once
#include "shared/curl/http_client.h"

namespace millrace {

/// What came of a request whose answer is only its status.
struct PostEnd {
  int status = 0;  ///< 0: none came
  HttpHow how = HttpHow::complete;
  bool in_time = true;
  std::string detail;  ///< for a person; empty when a status came
  std::optional<Duration> retry_after;
};

/// One request; `within`: from the start to the last byte of the answer, of which at most 16 KiB
/// are read and none is kept.
Task<PostEnd> post_once(HttpClient& client, Clock& clock, HttpPost post, Duration within);

}  // namespace millrace
