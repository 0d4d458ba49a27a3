#pragma once
#include <optional>
#include <string>

#include "shared/http/connection.h"
#include "shared/http/gate.h"

namespace millrace::http {

/// Bytes of one request's body in the account of its server.
class BodyShare {
 public:
  explicit BodyShare(ServerContext& context) : context_(context) {}
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;
  ~BodyShare() { context_.held_body_bytes -= held_; }

  /// False when all requests together would hold more than the server may.
  bool grow_to(std::size_t bytes);

 private:
  ServerContext& context_;
  std::size_t held_ = 0;
};

/// One request on its way to its answer.
struct Connection::Exchange {
  explicit Exchange(ServerContext& context);

  /// Copies what is needed of the head: the buffer behind it moves on.
  void take(const RequestHead& head);
  bool has_body() const { return chunked || content_length > 0; }
  /// The rest of the body is not read. Always false.
  bool refuse_body(Problem why);

  Request request;
  std::string raw_path;
  bool is_head = false;
  Router::Match match;

  std::uint64_t content_length = 0;
  bool chunked = false;
  bool expects_continue = false;
  std::size_t body_bytes_max = 0;
  BodyShare share;

  std::optional<Problem> problem;  ///< why it is not handled
  Passage passage;                 ///< what the gate said, where it was asked
  bool body_refused = false;
  Response response;
  HeadParts parts;
};

}  // namespace millrace::http
