#pragma once
#include <string>
#include <string_view>

#include "shared/http/message.h"
#include "shared/runtime/time.h"

namespace millrace::http {

/// What of a response the connection decides.
struct HeadParts {
  int status = 200;
  std::string_view request_id;
  std::string_view date;  ///< RFC 9110, 5.6.7
  bool close = false;
  bool http_1_0 = false;
  enum class Body : std::uint8_t { none, sized, chunked, until_close } body = Body::sized;
  std::size_t body_bytes = 0;
};

/// Appends status line and fields, ended by the empty line. A field whose name is no token or whose
/// value holds a control character is left out: no handler can split a response.
void append_head(std::string& out, const HeadParts& parts, const Response& response);

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
std::string http_date(WallTime when);

}  // namespace millrace::http
