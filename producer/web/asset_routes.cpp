#include "producer/web/asset_routes.h"

#include <optional>

#include "producer/web/content_coding.h"

namespace millrace::web {
namespace {

/// Where a folder's own answer is in a file of it: `of/folder/` for `of/folder/index.html`.
std::optional<std::string_view> folder_of(std::string_view path) {
  const auto name = path.substr(path.rfind('/') + 1);
  if (name != "index.html" && name != "index.json") return std::nullopt;
  return path.substr(0, path.size() - name.size());
}

std::string_view bytes_as(const Asset& asset, Coding coding) {
  if (coding == Coding::brotli && !asset.brotli.empty()) return asset.brotli;
  if (coding == Coding::gzip && !asset.gzip.empty()) return asset.gzip;
  return asset.bytes;
}

/// Each coding is a representation with a tag of its own.
std::string tag_of(const Asset& asset, Coding coding) {
  std::string tag = "\"";
  tag.append(asset.hash);
  if (coding != Coding::identity) tag.append("-").append(name_of(coding));
  return tag + "\"";
}

/// If-None-Match compares weakly, so a proxy's `W/` in front does not matter. A tag has no comma.
bool has_it(std::string_view if_none_match, std::string_view tag) {
  if (if_none_match == "*") return true;
  return if_none_match.find(tag) != if_none_match.npos;
}

Task<http::Response> moved(std::string to) {
  http::Response response;
  response.status = 308;
  response.content_type = "text/plain; charset=utf-8";
  response.body = "It is at " + to + " now.\n";
  response.headers.emplace_back("Location", std::move(to));
  co_return response;
}

Task<http::Response> at_once(http::Response response) {
  co_return response;
}

}  // namespace

void AssetRoutes::add_to(http::Router& router) const {
  for (const auto& asset : assets_) {
    const auto* found = &asset;
    const auto serve = [this, found](http::Request& request) {
      return at_once(answer(request, *found));
    };
    if (const auto folder = folder_of(asset.path))
      router.add(http::Method::get, at_ + std::string(*folder), serve);
    router.add(http::Method::get, at_ + std::string(asset.path), serve);
  }
}

http::Response AssetRoutes::answer(const http::Request& request, const Asset& asset) const {
  Coding coding = accepted_coding(request.header("accept-encoding"));
  if (bytes_as(asset, coding).data() == asset.bytes.data()) coding = Coding::identity;
  const auto tag = tag_of(asset, coding);
  http::Response response;
  response.content_type = asset.content_type;
  response.headers = {
      {"Cache-Control", asset.named_by_hash ? "public, max-age=31536000, immutable" : "no-cache"},
      {"ETag", tag},
      {"Vary", "Accept-Encoding"},
      {"Content-Security-Policy", policy_},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"}};
  if (has_it(request.header("if-none-match"), tag)) {
    response.status = 304;
    return response;
  }
  if (coding != Coding::identity)
    response.headers.emplace_back("Content-Encoding", name_of(coding));
  response.body = bytes_as(asset, coding);
  return response;
}

void redirect(http::Router& router, std::string_view from, std::string to) {
  router.add(http::Method::get, from, [to = std::move(to)](http::Request&) { return moved(to); });
}

}  // namespace millrace::web
