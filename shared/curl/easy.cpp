#include "shared/curl/easy.h"

#include <mutex>

namespace millrace {

void start_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

HttpHow how_it_ended(CURLcode code, bool stop_asked) {
  switch (code) {
    case CURLE_OK:
      return HttpHow::complete;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:  // of the connection, where nothing else has a time-out
    case CURLE_PROXY:
      return HttpHow::unreachable;
    case CURLE_WRITE_ERROR:
      return stop_asked ? HttpHow::stopped : HttpHow::malformed;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // also an answer in HTTP/0.9, which is any bytes at all
    case CURLE_BAD_CONTENT_ENCODING:
      return HttpHow::malformed;
    case CURLE_URL_MALFORMAT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return HttpHow::refused;
    default:
      return HttpHow::cut;
  }
}

bool loopback_url(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return false;
  url.remove_prefix(scheme + 3);
  return url.starts_with("127.") || url.starts_with("localhost") || url.starts_with("[::1]");
}

}  // namespace millrace
