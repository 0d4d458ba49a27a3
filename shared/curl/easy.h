#pragma once
#include <curl/curl.h>

#include <string_view>

#include "shared/curl/http_client.h"

namespace millrace {

struct EasyDelete {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

/// Before the first handle of the process; from any thread.
void start_curl_once();

/// What libcurl's word for the end of a transfer means here. `stop_asked`: the taker had enough.
HttpHow how_it_ended(CURLcode code, bool stop_asked);

/// A machine's own addresses are not asked of a proxy, whatever the environment says.
bool loopback_url(std::string_view url);

}  // namespace millrace
