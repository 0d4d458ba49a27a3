#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "ops/cli/exit_code.h"
#include "ops/roles/loop.h"
#include "shared/curl/blocking_http.h"
#include "shared/runtime/config.h"

namespace millrace::cli {

/// The edge a command talks to, any of them. Blocks.
class Edge {
 public:
  explicit Edge(const Config& config);

  const std::string& url() const { return url_; }

  /// Answers of any status. One that did not come has `how` other than complete.
  BlockingAnswer get(const std::string& path, Duration timeout = 30s);
  BlockingAnswer post(const std::string& path, std::string body,
                      std::vector<std::string> headers = {}, Duration timeout = 30s);
  /// An event stream, until it ends, is cut, or is silent for three heartbeats.
  BlockingAnswer stream(const std::string& path, const std::string& last_event_id,
                        const BlockingHttp::TakeBody& take);

  void wait(Duration time);
  Instant now() const { return loop_.clock.now(); }
  WallTime wall() const { return loop_.clock.wall(); }
  Random& random() { return loop_.random; }

 private:
  /// With what an edge that wants keys asks for.
  std::vector<std::string> with_key(std::vector<std::string> headers) const;

  std::string url_;
  std::string key_;  ///< empty: none
  BlockingHttp http_;
  Loop loop_;
};

/// The `url` of the configuration, or where its own edge listens; without a trailing slash. Throws
/// std::invalid_argument for what is no http URL.
std::string edge_url(const Config& config);

/// True for a whole answer with a 2xx.
bool good(const BlockingAnswer& answer);
/// The edge may answer otherwise in a while: it is away, cut off, or says so (429, 503, 507).
bool passing(const BlockingAnswer& answer);
/// For an answer that is not good.
Exit exit_of(const BlockingAnswer& answer);
/// What went wrong and what to do, for a person: the detail of a problem+json, or that nobody
/// answers at `url`.
std::string reason(const BlockingAnswer& answer, std::string_view url);

}  // namespace millrace::cli
