#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/curl/http_client.h"

namespace millrace {

/// What is asked. A time of 0 is no limit.
struct BlockingRequest {
  std::string method = "GET";
  std::string url{};                   ///< http or https
  std::vector<std::string> headers{};  ///< `Name: value`
  std::string body{};                  ///< sent with any other method than GET
  Duration connect_timeout = 5s;
  Duration timeout{0};      ///< of the whole exchange
  Duration silence_max{0};  ///< cut when nothing comes for that long; whole seconds
};

struct BlockingAnswer {
  HttpHow how = HttpHow::complete;
  int status = 0;  ///< 0: none came
  std::string content_type;
  std::string body;    ///< what no taker took
  std::string detail;  ///< for a person; empty when complete
  std::optional<Duration> retry_after;
};

/// HTTP/1.1 for a program that does one thing at a time; the connection is kept for the next
/// request. Not for a loop: it blocks. One thread.
class BlockingHttp {
 public:
  BlockingHttp();
  ~BlockingHttp();
  BlockingHttp(const BlockingHttp&) = delete;
  BlockingHttp& operator=(const BlockingHttp&) = delete;

  /// Takes a piece of the body; `pause` is not for here.
  using TakeBody = std::function<Flow(int status, std::string_view bytes)>;

  /// Returns when the exchange has ended. `take` gets the body as it comes, else it is kept.
  BlockingAnswer ask(const BlockingRequest& request, const TakeBody& take = {});

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace millrace
