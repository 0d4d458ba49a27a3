#include "producer/openai/models_routes.h"

#include <algorithm>
#include <array>

#include "producer/ingress/request_headers.h"
#include "producer/openai/error_shape.h"
#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

/// A model has no date of birth here; OpenAI's shape wants one, and it must not change.
constexpr std::uint64_t created_s = 1767225600;  // 2026-01-01

constexpr std::array<std::string_view, 3> simulated_sample{
    "sim-200ms-60tok-50gap", "sim-50ms-200tok-10gap", "sim-50ms-24tok-10gap-tool"};

void append_model(std::string& out, const ModelsRoutes::Model& model) {
  out += R"({"id":)";
  append_json_string(out, model.id);
  out += R"(,"object":"model","created":)";
  append_number(out, created_s);
  out += R"(,"owned_by":)";
  append_json_string(out, model.owner);
  out += '}';
}

Problem no_such_model(std::string_view name) {
  return make_problem("model_not_found", "model",
                      "There is no model " + quoted(name) +
                          " in the list; GET /v1/models shows it. A request may name another: "
                          "whether it is served is for the model's server to say.");
}

}  // namespace

std::vector<ModelsRoutes::Model> ModelsRoutes::served(const std::string& default_model,
                                                      bool simulated) {
  if (!simulated) return {{default_model, "millrace"}};
  constexpr std::string_view owner = "millrace-simulator";
  std::vector<Model> models{{default_model, owner}};
  for (const auto name : simulated_sample) models.push_back({std::string(name), owner});
  return models;
}

void ModelsRoutes::add_to(http::Router& router) {
  router.add(http::Method::get, "/v1/models",
             [this](http::Request& request) { return list(request); });
  const auto one = [this](http::Request& request) { return show(request); };
  router.add(http::Method::get, "/v1/models/{model}", one);
  // Many names have a slash, and not every client encodes it.
  router.add(http::Method::get, "/v1/models/{owner}/{model}", one);
}

Task<http::Response> ModelsRoutes::list(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return error_response(*refusal);
  http::Response response;
  response.body = R"({"object":"list","data":[)";
  for (const auto& model : models_) {
    if (response.body.back() == '}') response.body += ',';
    append_model(response.body, model);
  }
  response.body += "]}";
  co_return response;
}

Task<http::Response> ModelsRoutes::show(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return error_response(*refusal);
  std::string name = request.params.front();
  if (request.params.size() > 1) name.append("/").append(request.params[1]);
  const auto found = std::ranges::find(models_, name, &Model::id);
  if (found == models_.end()) co_return error_response(no_such_model(name));
  http::Response response;
  append_model(response.body, *found);
  co_return response;
}

}  // namespace millrace::openai
