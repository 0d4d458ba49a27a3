#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "shared/http/message.h"

namespace millrace::http {

/// Which pages of other origins may read our answers (the Fetch standard's CORS protocol).
class CorsPolicy {
 public:
  /// Comma-separated origins (`https://a.example`), `*` for any, empty for none.
  explicit CorsPolicy(std::string_view origins);

  /// True for an origin of the list, any under `*`; false for an empty one.
  bool allows(std::string_view origin) const;
  /// Adds to an answer what lets a page of `origin` read it, if it may.
  void allow(std::string_view origin, Response& response) const;
  /// Adds to the answer of OPTIONS what a browser asks before it sends such a request.
  void preflight(const Request& request, Response& response) const;

 private:
  std::vector<std::string> origins_;
  bool any_ = false;
};

}  // namespace millrace::http
