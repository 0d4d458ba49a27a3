#include "producer/relay/signed_url.h"

#include "shared/runtime/limits.h"

namespace millrace::relay {
namespace {

std::string events_of(const JobId& id) {
  std::string what = "millrace job events\n";
  id.append_to(what);
  return what;
}

}  // namespace

std::string SignedUrls::sign(const JobId& id, WallTime now) const {
  std::string url = "/v1/jobs/" + id.str() + "/events";
  const auto query = signer_.sign(events_of(id), now + limits::stream_url_valid);
  if (!query.empty()) url.append("?").append(query);
  return url;
}

SignedUrls::Verdict SignedUrls::verify(const JobId& id, std::string_view expires,
                                       std::string_view signature, WallTime now) const {
  return signer_.verify(events_of(id), expires, signature, now);
}

}  // namespace millrace::relay
