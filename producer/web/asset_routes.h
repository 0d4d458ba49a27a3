#pragma once
#include <span>
#include <string>
#include <string_view>

#include "producer/web/asset.h"
#include "shared/http/router.h"

namespace millrace::web {

/// Serves the files of one folder that is part of the program: compressed as the client takes it,
/// 304 to whoever has it already, for a year without asking where the name has the content's hash.
/// `index.html` or `index.json` is what a folder itself answers. Holds no state: one may serve
/// several loops.
class AssetRoutes {
 public:
  /// `at`: where the folder is served, `/` at its end. `policy`: the Content-Security-Policy of
  /// all of it. `assets` outlives this.
  AssetRoutes(std::span<const Asset> assets, std::string at, std::string policy)
      : assets_(assets), at_(std::move(at)), policy_(std::move(policy)) {}
  AssetRoutes(const AssetRoutes&) = delete;
  AssetRoutes& operator=(const AssetRoutes&) = delete;

  /// This outlives the server that uses the router.
  void add_to(http::Router& router) const;

 private:
  http::Response answer(const http::Request& request, const Asset& asset) const;

  std::span<const Asset> assets_;
  std::string at_;
  std::string policy_;
};

/// Where a page has moved to.
void redirect(http::Router& router, std::string_view from, std::string to);

}  // namespace millrace::web
