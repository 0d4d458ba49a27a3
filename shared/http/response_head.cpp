#include "shared/http/response_head.h"

#include <algorithm>
#include <array>

#include "shared/http/request_head.h"
#include "shared/runtime/json_text.h"

namespace millrace::http {
namespace {

struct Reason {
  int status;
  std::string_view phrase;
};
constexpr std::array reasons{
    Reason{200, "OK"},
    Reason{201, "Created"},
    Reason{202, "Accepted"},
    Reason{204, "No Content"},
    Reason{206, "Partial Content"},
    Reason{301, "Moved Permanently"},
    Reason{302, "Found"},
    Reason{303, "See Other"},
    Reason{304, "Not Modified"},
    Reason{307, "Temporary Redirect"},
    Reason{308, "Permanent Redirect"},
    Reason{400, "Bad Request"},
    Reason{401, "Unauthorized"},
    Reason{403, "Forbidden"},
    Reason{404, "Not Found"},
    Reason{405, "Method Not Allowed"},
    Reason{406, "Not Acceptable"},
    Reason{408, "Request Timeout"},
    Reason{409, "Conflict"},
    Reason{410, "Gone"},
    Reason{411, "Length Required"},
    Reason{412, "Precondition Failed"},
    Reason{413, "Content Too Large"},
    Reason{414, "URI Too Long"},
    Reason{415, "Unsupported Media Type"},
    Reason{416, "Range Not Satisfiable"},
    Reason{417, "Expectation Failed"},
    Reason{422, "Unprocessable Content"},
    Reason{425, "Too Early"},
    Reason{429, "Too Many Requests"},
    Reason{431, "Request Header Fields Too Large"},
    Reason{500, "Internal Server Error"},
    Reason{501, "Not Implemented"},
    Reason{502, "Bad Gateway"},
    Reason{503, "Service Unavailable"},
    Reason{504, "Gateway Timeout"},
    Reason{505, "HTTP Version Not Supported"},
    Reason{507, "Insufficient Storage"},
};

std::string_view reason(int status) {
  const auto found = std::ranges::lower_bound(reasons, status, {}, &Reason::status);
  return found != reasons.end() && found->status == status ? found->phrase : std::string_view();
}

bool printable(std::string_view value) {
  return std::ranges::none_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

void field(std::string& out, std::string_view name, std::string_view value) {
  if (is_token(name) && printable(value))
    out.append(name).append(": ").append(value).append("\r\n");
}

void append_two(std::string& out, unsigned value) {
  out.push_back(static_cast<char>('0' + value / 10));
  out.push_back(static_cast<char>('0' + value % 10));
}

}  // namespace

void append_head(std::string& out, const HeadParts& parts, const Response& response) {
  out.append(parts.http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(parts.status));
  out.append(" ").append(reason(parts.status)).append("\r\n");
  field(out, "Date", parts.date);
  field(out, "x-request-id", parts.request_id);
  if (parts.body != HeadParts::Body::none) field(out, "Content-Type", response.content_type);
  switch (parts.body) {
    case HeadParts::Body::sized:
      out.append("Content-Length: ");
      append_number(out, static_cast<std::uint64_t>(parts.body_bytes));
      out.append("\r\n");
      break;
    case HeadParts::Body::chunked:
      out.append("Transfer-Encoding: chunked\r\n");
      [[fallthrough]];
    case HeadParts::Body::until_close:
      out.append("Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n");
      break;
    case HeadParts::Body::none:
      break;
  }
  for (const auto& [name, value] : response.headers) field(out, name, value);
  if (parts.close)
    out.append("Connection: close\r\n");
  else if (parts.http_1_0)
    out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
}

std::string http_date(WallTime when) {
  static constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed",
                                                        "Thu", "Fri", "Sat"};
  static constexpr std::array<std::string_view, 12> months{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(when - day));
  std::string out(days[std::chrono::weekday(day).c_encoding()]);
  out.append(", ");
  append_two(out, static_cast<unsigned>(date.day()));
  out.append(" ").append(months[static_cast<unsigned>(date.month()) - 1]).append(" ");
  append_number(out, static_cast<std::uint64_t>(static_cast<int>(date.year())));
  out.append(" ");
  append_two(out, static_cast<unsigned>(time.hours().count()));
  out.append(":");
  append_two(out, static_cast<unsigned>(time.minutes().count()));
  out.append(":");
  append_two(out, static_cast<unsigned>(time.seconds().count()));
  return out.append(" GMT");
}

}  // namespace millrace::http
