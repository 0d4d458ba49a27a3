#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "shared/http/router.h"

namespace millrace::openai {

/// `GET /v1/models` and `GET /v1/models/{id}`: what this deployment serves.
class ModelsRoutes {
 public:
  struct Model {
    std::string id;
    std::string_view owner;
  };
  /// The model that jobs get that name none; with the simulator, a sample of its names too.
  static std::vector<Model> served(const std::string& default_model, bool simulated);

  explicit ModelsRoutes(std::vector<Model> models) : models_(std::move(models)) {}
  ModelsRoutes(const ModelsRoutes&) = delete;
  ModelsRoutes& operator=(const ModelsRoutes&) = delete;

  void add_to(http::Router& router);

 private:
  Task<http::Response> list(http::Request& request);
  Task<http::Response> show(http::Request& request);

  std::vector<Model> models_;
};

}  // namespace millrace::openai
