#include "producer/web/page_routes.h"

namespace millrace::web {

/// Made of `page/` by Vite (CMakeLists.txt).
std::span<const Asset> page_assets();

namespace {

/// Scripts, styles and connections of this origin alone, no inline ones, and no text that becomes a
/// script or HTML (trusted types): what a model writes could run nothing, and send nothing
/// anywhere.
constexpr const char* policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types millrace";

}  // namespace

PageRoutes::PageRoutes() : assets_(page_assets(), "/", policy) {}

void PageRoutes::add_to(http::Router& router) const {
  assets_.add_to(router);
  redirect(router, "/chatbot.html", "/");
}

}  // namespace millrace::web
