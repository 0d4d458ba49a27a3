#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/contract/problem.h"
#include "shared/http/cors.h"
#include "shared/http/message.h"

namespace millrace::access {

/// What a web page may ask of an edge that wants no key. A browser lets any page send to any
/// address, so a page that its user merely visits must not make jobs on the user's machine: not by
/// a request to another site, and not under a name of its own that it makes point here (DNS
/// rebinding). Clients that are no browsers send neither Origin nor Sec-Fetch-Site and no strange
/// Host: nothing changes for them. Only read once made, so that all loops may share one.
class PageRules {
 public:
  struct Settings {
    std::string_view cors_origins;   ///< whose pages may send what changes something
    std::string_view allowed_hosts;  ///< names, comma-separated, by which one is asked; `*`: any
    bool loopback = true;            ///< what is listened on is of this machine alone
  };
  PageRules() : PageRules(Settings{}) {}
  explicit PageRules(const Settings& settings);

  /// 403 `host_not_allowed` for a Host that is no loopback name, no IP address and not allowed;
  /// where others can connect a name that no public DNS gives (one label, `.local`, `.internal`,
  /// `.home.arpa`) passes too: containers and local networks call each other so.
  /// 403 `cross_origin` for what changes something (anything but GET) and that a page sends which
  /// is not of this edge, nor of an origin of CORS_ORIGINS, by Sec-Fetch-Site (the Fetch Metadata
  /// of W3C), or by Origin where a browser leaves that out.
  std::optional<Problem> objection(const http::Request& request) const;

 private:
  bool host_passes(std::string_view authority) const;
  bool listed(std::string_view host) const;
  bool sender_passes(std::string_view host, std::string_view origin, std::string_view site) const;

  http::CorsPolicy cors_;
  std::vector<std::string> hosts_;
  bool any_host_ = false;
  bool loopback_ = true;
};

}  // namespace millrace::access
