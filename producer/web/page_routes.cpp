#include "producer/web/page_routes.h"

namespace millrace::web {

/// Made of `page/` by Vite (CMakeLists.txt).
std::span<const Asset> page_assets();

namespace {

/// Scripts, styles and connections of this origin alone, and no inline ones: what a model writes
/// could run nothing even if it got past the sanitiser, and could send nothing anywhere.
constexpr const char* policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

}  // namespace

PageRoutes::PageRoutes() : assets_(page_assets(), "/", policy) {}

void PageRoutes::add_to(http::Router& router) const {
  assets_.add_to(router);
  redirect(router, "/chatbot.html", "/");
}

}  // namespace millrace::web
