#include "shared/http/request_head.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>

namespace millrace::http {
namespace {

constexpr std::size_t fields_max = 100;
constexpr std::size_t method_bytes_max = 32;
constexpr std::size_t length_digits_max = 18;  // below 2^63, so sums cannot overflow
constexpr std::string_view hint =
    " Send one request line, then `Name: value` lines, each ended by CR LF (RFC 9112).";

enum CharClass : std::uint8_t { token = 1, value_text = 2, target_text = 4, host_text = 8 };

constexpr std::array<std::uint8_t, 256> char_classes = [] {
  std::array<std::uint8_t, 256> classes{};
  for (int c = 0; c < 256; ++c) {
    const bool visible = c > 0x20 && c < 0x7f;
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const auto among = [c](std::string_view set) {
      return c != 0 && c < 0x80 && set.find(static_cast<char>(c)) != set.npos;
    };
    auto& here = classes[static_cast<std::size_t>(c)];
    if (alnum || among("!#$%&'*+-.^_`|~")) here |= token;
    if (visible || c == ' ' || c == '\t' || c >= 0x80) here |= value_text;
    // Browsers leave more than RFC 3986 allows unescaped in queries; these they never do.
    if (visible && !among("#\"<>")) here |= target_text;
    if (alnum || among(".-_~:[]%!$&'()*+;=")) here |= host_text;
  }
  return classes;
}();

bool all_of_class(std::string_view text, CharClass wanted) {
  return std::ranges::all_of(text, [wanted](char c) {
    return (char_classes[static_cast<unsigned char>(c)] & wanted) != 0;
  });
}

std::unexpected<Problem> refuse(int status, std::string code, std::string title, std::string detail,
                                std::string field = {}) {
  return std::unexpected(
      Problem{status, std::move(code), std::move(title), std::move(detail), std::move(field)});
}

std::unexpected<Problem> bad_request(std::string what, std::string field = {}) {
  return refuse(400, "bad_request", "The request is malformed", std::move(what) + std::string(hint),
                std::move(field));
}

std::unexpected<Problem> bad_framing(std::string what, std::string field) {
  return refuse(
      400, "bad_framing", "The request's length is ambiguous",
      std::move(what) + " Send either one Content-Length or `Transfer-Encoding: chunked`, once.",
      std::move(field));
}

std::unexpected<Problem> url_too_long(std::size_t allowed) {
  return refuse(414, "url_too_long", "The URL is too long",
                "The request target is longer than " + std::to_string(allowed) +
                    " bytes. Move what is long into the body.");
}

std::unexpected<Problem> head_too_large(const std::string& what) {
  return refuse(431, "header_too_large", "The header is too large",
                "The request has more than " + what + ". Send fewer or shorter fields.");
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// `name` is in lower case.
bool is_named(std::string_view text, std::string_view name) {
  return text.size() == name.size() &&
         std::ranges::equal(text, name, [](char a, char b) { return lower(a) == b; });
}

Method method_of(std::string_view text) {
  if (text == "GET") return Method::get;
  if (text == "POST") return Method::post;
  if (text == "HEAD") return Method::head;
  if (text == "PUT") return Method::put;
  if (text == "PATCH") return Method::patch;
  if (text == "DELETE") return Method::del;
  if (text == "OPTIONS") return Method::options;
  return Method::other;
}

using Verdict = std::expected<void, Problem>;

// The path and query of origin-form, absolute-form and asterisk-form.
Verdict read_target(std::string_view target, RequestHead& head) {
  if (!all_of_class(target, target_text))
    return bad_request("The request target holds a character that must be percent-encoded.");
  if (target == "*" && head.method == Method::options) {
    head.raw_path = target;
    return {};
  }
  if (!target.starts_with('/')) {
    const auto scheme = target.find("://");
    const auto name = target.substr(0, scheme);
    if (scheme == target.npos || !(is_named(name, "http") || is_named(name, "https")))
      return bad_request("The request target must be a path that begins with `/`.");
    const auto authority = target.substr(scheme + 3);
    const auto end = std::min(authority.find_first_of("/?"), authority.size());
    if (end == 0 || !all_of_class(authority.substr(0, end), host_text))
      return bad_request("The request target has no valid host.");
    target = authority.substr(end);
  }
  const auto question = target.find('?');
  head.raw_path = target.substr(0, question);
  if (head.raw_path.empty()) head.raw_path = "/";
  if (question != target.npos) head.query = target.substr(question + 1);
  // Some proxies read a backslash as a slash: two readings of one path.
  if (head.raw_path.find('\\') != head.raw_path.npos)
    return bad_request("The path holds a backslash.");
  return {};
}

Verdict read_request_line(std::string_view line, RequestHead& head, const HeadLimits& limits) {
  const auto method_end = line.find(' ');
  if (method_end > method_bytes_max || !is_token(line.substr(0, method_end)))
    return bad_request("The request line does not begin with a method.");
  head.method = method_of(line.substr(0, method_end));
  line.remove_prefix(method_end + 1);
  const auto target_end = line.find(' ');
  if (std::min(target_end, line.size()) > limits.url_bytes_max)
    return url_too_long(limits.url_bytes_max);
  if (target_end == line.npos || target_end == 0)
    return bad_request("The request line is not `method target version`.");
  const auto version = line.substr(target_end + 1);
  if (!version.starts_with("HTTP/"))
    return bad_request("The request line does not end with the HTTP version.");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return refuse(505, "version_not_supported", "This version of HTTP is not supported",
                  "Send HTTP/1.1 or HTTP/1.0.");
  head.http_1_0 = version == "HTTP/1.0";
  head.keep_alive = !head.http_1_0;
  return read_target(line.substr(0, target_end), head);
}

/// What may stand only once, met so far.
struct Met {
  bool host = false;
  bool transfer_encoding = false;
};

Verdict read_length(std::string_view value, RequestHead& head) {
  if (head.content_length)
    return bad_framing("There are two Content-Length fields.", "content-length");
  std::uint64_t length = 0;
  const auto* const end = value.data() + value.size();
  // from_chars takes no sign for an unsigned number, no blank and no prefix.
  if (value.empty() || value.size() > length_digits_max ||
      std::from_chars(value.data(), end, length).ptr != end)
    return bad_framing("Content-Length is not a decimal number of at most 18 digits.",
                       "content-length");
  head.content_length = length;
  return {};
}

Verdict read_connection(std::string_view value, RequestHead& head) {
  while (!value.empty()) {
    const auto comma = std::min(value.find(','), value.size());
    const auto option = trimmed(value.substr(0, comma));
    if (is_named(option, "close")) head.keep_alive = false;
    if (is_named(option, "keep-alive") && head.http_1_0) head.keep_alive = true;
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
  return {};
}

// The fields that decide how long the request is and what happens to the connection.
Verdict read_meaning(std::string_view name, std::string_view value, RequestHead& head, Met& met) {
  switch (name.size()) {
    case 4:
      if (!is_named(name, "host")) return {};
      if (std::exchange(met.host, true)) return bad_request("There are two Host fields.", "host");
      if (!all_of_class(value, host_text))
        return bad_request("Host is not a host name with an optional port.", "host");
      return {};
    case 6:
      if (!is_named(name, "expect")) return {};
      if (!is_named(value, "100-continue"))
        return refuse(417, "expectation_failed", "The expectation cannot be met",
                      "Only `Expect: 100-continue` is known.", "expect");
      head.expects_continue = !head.http_1_0;
      return {};
    case 10:
      return is_named(name, "connection") ? read_connection(value, head) : Verdict{};
    case 14:
      return is_named(name, "content-length") ? read_length(value, head) : Verdict{};
    case 17:
      if (!is_named(name, "transfer-encoding")) return {};
      if (std::exchange(met.transfer_encoding, true))
        return bad_framing("There are two Transfer-Encoding fields.", "transfer-encoding");
      if (head.http_1_0)
        return bad_framing("HTTP/1.0 has no Transfer-Encoding.", "transfer-encoding");
      if (!is_named(value, "chunked"))
        return refuse(501, "transfer_encoding_not_supported",
                      "This transfer encoding is not supported",
                      "Only `Transfer-Encoding: chunked` is understood.", "transfer-encoding");
      head.chunked = true;
      return {};
    default:
      return {};
  }
}

Verdict read_field(std::string_view line, RequestHead& head, Met& met) {
  if (line.front() == ' ' || line.front() == '\t')
    return bad_request("A header line begins with white space (folding is obsolete).");
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  if (colon == line.npos || !is_token(name))
    return bad_request("A header line is not `Name: value`.");
  const auto value = trimmed(line.substr(colon + 1));
  if (!all_of_class(value, value_text))
    return bad_request("A header value holds a control character.");
  head.fields.emplace_back(name, value);
  return read_meaning(name, value, head, met);
}

Verdict check_whole(const RequestHead& head, const Met& met) {
  if (head.chunked && head.content_length)
    return bad_framing("There are both Content-Length and Transfer-Encoding.", "transfer-encoding");
  if (!met.host && !head.http_1_0) return bad_request("There is no Host field.", "host");
  return {};
}

}  // namespace

bool is_token_char(char c) {
  return (char_classes[static_cast<unsigned char>(c)] & token) != 0;
}

bool is_token(std::string_view text) {
  return !text.empty() && all_of_class(text, token);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view RequestHead::field(std::string_view lower_name) const {
  for (const auto& [name, value] : fields)
    if (is_named(name, lower_name)) return value;
  return {};
}

std::expected<std::optional<std::size_t>, Problem> find_head_end(std::string_view bytes,
                                                                 std::size_t& scanned,
                                                                 const HeadLimits& limits) {
  // The longest request line: a method, the target, the version and two spaces.
  const auto line_max = method_bytes_max + limits.url_bytes_max + 16;
  if (bytes.size() > line_max && bytes.substr(0, line_max).find('\n') == bytes.npos)
    return url_too_long(limits.url_bytes_max);
  while (scanned < bytes.size()) {
    const auto found = bytes.find('\n', scanned);
    if (found == bytes.npos) {
      scanned = bytes.size();
      break;
    }
    if (found == 0 || bytes[found - 1] != '\r')
      return bad_request("A line ends in a lone line feed.");
    scanned = found + 1;
    if (scanned > limits.head_bytes_max) break;
    if (found >= 3 && bytes[found - 2] == '\n') return scanned;
  }
  if (scanned > limits.head_bytes_max)
    return head_too_large(std::to_string(limits.head_bytes_max) + " bytes of header");
  return std::nullopt;
}

std::expected<RequestHead, Problem> parse_head(std::string_view head_bytes,
                                               const HeadLimits& limits) {
  RequestHead head;
  head.fields.reserve(16);
  Met met;
  const auto line_end = head_bytes.find("\r\n");
  if (line_end == head_bytes.npos) return bad_request("The request line does not end.");
  if (auto read = read_request_line(head_bytes.substr(0, line_end), head, limits); !read)
    return std::unexpected(std::move(read.error()));
  head_bytes.remove_prefix(line_end + 2);
  while (true) {
    const auto end = head_bytes.find("\r\n");
    if (end == head_bytes.npos) return bad_request("A header line does not end.");
    if (end == 0) break;
    if (head.fields.size() == fields_max)
      return head_too_large(std::to_string(fields_max) + " fields");
    if (auto read = read_field(head_bytes.substr(0, end), head, met); !read)
      return std::unexpected(std::move(read.error()));
    head_bytes.remove_prefix(end + 2);
  }
  if (auto whole = check_whole(head, met); !whole) return std::unexpected(std::move(whole.error()));
  return head;
}

}  // namespace millrace::http
