#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/contract/problem.h"
#include "shared/http/message.h"
#include "shared/runtime/limits.h"

namespace millrace::http {

/// A request's head as it stands in the buffer: nothing is copied, so it is void when the buffer
/// moves.
struct RequestHead {
  using Field = std::pair<std::string_view, std::string_view>;

  Method method = Method::other;
  std::string_view raw_path;  ///< of the target, still percent-encoded; `*` for `OPTIONS *`
  std::string_view query;
  std::vector<Field> fields;  ///< names as sent
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool http_1_0 = false;
  bool keep_alive = true;
  bool expects_continue = false;

  /// The first field of that lower-case name; empty when absent.
  std::string_view field(std::string_view lower_name) const;
};

struct HeadLimits {
  std::size_t head_bytes_max = limits::header_bytes_max;
  std::size_t url_bytes_max = limits::url_bytes_max;
};

/// Where the head ends (one past the empty line), reading on from `scanned`, which it moves;
/// nothing while more bytes are needed. Fails as soon as a line ends in a lone LF or a limit is
/// passed (414, 431), not only when the head is complete.
std::expected<std::optional<std::size_t>, Problem> find_head_end(std::string_view bytes,
                                                                 std::size_t& scanned,
                                                                 const HeadLimits& limits);

/// Reads a head that `find_head_end` has delimited (RFC 9112). What another server might read
/// in another way is refused: a second Host, a second or odd Content-Length, Content-Length with
/// Transfer-Encoding, folded lines, white space around names, control characters. The connection
/// must be closed after a refusal, for nobody knows where the next request begins.
std::expected<RequestHead, Problem> parse_head(std::string_view head, const HeadLimits& limits);

/// True for a character of a token (RFC 9110, 5.6.2): names of methods and fields.
bool is_token_char(char c);
bool is_token(std::string_view text);
/// ASCII only.
bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace millrace::http
