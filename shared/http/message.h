#pragma once
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/contract/problem.h"
#include "shared/runtime/error.h"
#include "shared/runtime/signal.h"
#include "shared/runtime/task.h"

namespace millrace::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

enum class Method : std::uint8_t { get, head, post, put, patch, del, options, other };

/// Who waits for the answer to a request that takes long.
class WaitingPeer {
 public:
  virtual ~WaitingPeer() = default;
  /// From here on its leaving is noticed, and notified here; whoever handles the request may
  /// notify it too, to wake itself up. Closing its sending half is leaving.
  virtual Signal& watch() = 0;
  virtual bool gone() const = 0;
};

/// One request, whole: its body has been read and is within the route's limit. HEAD reaches
/// handlers as `get`; the connection leaves the body out.
struct Request {
  Method method = Method::get;
  std::string path;   ///< percent-decoded once, no query
  std::string query;  ///< raw, without `?`
  Headers headers;    ///< names in lower case
  std::string body;
  std::string request_id;           ///< the client's own where sane, else made here
  std::string peer;                 ///< address without port
  std::string tenant = "default";   ///< whose objects it may see: as the server's gate says
  std::vector<std::string> params;  ///< what the route's `{}` matched, decoded
  WaitingPeer* asker = nullptr;     ///< while it is handled; null where nobody can leave

  /// The first header of that (lower-case) name; empty when absent.
  std::string_view header(std::string_view name) const;
  /// The first query parameter of that name, percent-decoded; nothing when absent.
  std::optional<std::string> query_param(std::string_view name) const;
  /// True when the Accept header names this media type with a q above 0 (a wildcard does not).
  bool accepts(std::string_view media_type) const;
};

/// Where a streamed response goes. Belongs to its connection; lives as long as the stream runs.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  /// Sends all bytes as one chunk. `closed`: the peer has gone; `timed_out`: it did not read
  /// for `limits::reader_stall_max`. The bytes must live until the return. One write at a time.
  virtual Task<Result<>> write(std::string_view bytes) = 0;
  virtual bool closed() const = 0;
  /// Notified when the peer leaves or the server drains; whoever streams may notify it too, to
  /// wake itself up.
  virtual Signal& wake() = 0;
  /// The server is going down: say what is pending and end.
  virtual bool draining() const = 0;
};

/// Thrown by a StreamBody that wants the connection closed in the middle of the response. Any
/// other exception does the same and is logged.
struct StreamCut : std::exception {
  const char* what() const noexcept override { return "the stream was cut"; }
};

/// Runs after the request and its buffers are gone; the response ends when it returns.
using StreamBody = std::function<Task<>(StreamWriter&)>;

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers;
  /// Set: the head is sent (chunked, `Cache-Control: no-store`, `X-Accel-Buffering: no`) and
  /// the body is what this writes.
  StreamBody stream;
  /// How much the stream writes, where that is known: sent as Content-Length, HEAD too, without
  /// the fields above. A stream that ends with less is cut; more is refused as `closed`.
  std::optional<std::uint64_t> stream_bytes;
};

Response to_response(const Problem& problem);

/// A handler runs on the connection's loop; it must not block. Its parameter lives until the
/// response has been made. A capturing lambda must not be a coroutine: bind to a named function.
using Handler = std::function<Task<Response>(Request&)>;

}  // namespace millrace::http
