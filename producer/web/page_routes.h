#pragma once
#include "producer/web/asset_routes.h"

namespace millrace::web {

/// The page at `/`, and the addresses it had before. Outlives the server that uses its router.
class PageRoutes {
 public:
  PageRoutes();
  void add_to(http::Router& router) const;

 private:
  AssetRoutes assets_;
};

}  // namespace millrace::web
