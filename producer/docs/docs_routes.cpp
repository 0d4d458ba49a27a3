#include "producer/docs/docs_routes.h"

namespace millrace::web {

/// Made by CMakeLists.txt.
std::span<const Asset> api_assets();
std::span<const Asset> swagger_assets();
std::span<const Asset> redoc_assets();

}  // namespace millrace::web

namespace millrace::docs {
namespace {

constexpr const char* no_page = "default-src 'none'; frame-ancestors 'none'";
/// Swagger UI has its icons in `data:`, and styles nothing inline but through the DOM.
constexpr const char* swagger_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Redoc makes its style sheets as it goes, and its search runs in a worker made of a blob.
constexpr const char* redoc_policy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

}  // namespace

DocsRoutes::DocsRoutes()
    : api_(web::api_assets(), "/", no_page),
      swagger_(web::swagger_assets(), "/docs/", swagger_policy),
      redoc_(web::redoc_assets(), "/redoc/", redoc_policy) {}

void DocsRoutes::add_to(http::Router& router) const {
  api_.add_to(router);
  swagger_.add_to(router);
  redoc_.add_to(router);
  web::redirect(router, "/docs", "/docs/");
  web::redirect(router, "/redoc", "/redoc/");
}

}  // namespace millrace::docs
