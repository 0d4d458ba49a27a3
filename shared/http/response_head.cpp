#include "shared/http/response_head.h"

#include <algorithm>
#include <array>

#include "shared/runtime/json_text.h"

namespace millrace::http {
namespace {

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "";
  }
}

bool printable(std::string_view value) {
  return std::ranges::none_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

void field(std::string& out, std::string_view name, std::string_view value) {
  if (printable(value)) out.append(name).append(": ").append(value).append("\r\n");
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

void Cors::allow(Response& response, std::string_view origin) const {
  if (origins.empty() || origin.empty()) return;
  bool listed = origins == "*";
  for (std::string_view rest = origins; !listed && !rest.empty();) {
    const auto end = std::min(rest.find(','), rest.size());
    auto one = rest.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    listed = one == origin;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (!listed) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", origins == "*" ? "*" : origin);
  response.headers.emplace_back("Access-Control-Expose-Headers",
                                "Location, Retry-After, x-request-id");
  if (origins != "*") response.headers.emplace_back("Vary", "Origin");
}

}  // namespace millrace::http
