#pragma once
#include "producer/web/asset_routes.h"

namespace millrace::docs {

/// The OpenAPI document at `/openapi.json`, the JSON Schemas below `/v1/schemas/`, and two readers
/// of the document: `/docs` (Swagger UI) and `/redoc`. Outlives the server that uses its router.
class DocsRoutes {
 public:
  DocsRoutes();
  void add_to(http::Router& router) const;

 private:
  web::AssetRoutes api_;
  web::AssetRoutes swagger_;
  web::AssetRoutes redoc_;
};

}  // namespace millrace::docs
