#include "ops/roles/loop_model.h"

namespace millrace {
namespace {

http::ServerOptions any_loopback_port() {
  http::ServerOptions options;
  options.host = "127.0.0.1";
  options.port = 0;
  return options;
}

OpenAiSettings settings(const Config& config, const http::Server* own) {
  auto settings = openai_settings(config);
  if (own) settings.base_url = "http://127.0.0.1:" + std::to_string(own->port());
  return settings;
}

}  // namespace

LoopModel::Own::Own(Loop& loop)
    : simulator(loop.clock), server(loop.clock, loop.random, router, any_loopback_port()) {
  simulator.add_to(router);
  server.listen();
}

LoopModel::LoopModel(Loop& loop, const Config& config)
    : own_(config.llm_server_url.empty() ? std::optional<Own>(std::in_place, loop) : std::nullopt),
      model_(loop.clock, loop.random, settings(config, own_ ? &own_->server : nullptr)),
      simulated_(model_) {}

ChatModel& LoopModel::model() {
  return own_ ? static_cast<ChatModel&>(simulated_) : model_;
}

Task<> LoopModel::run() {
  if (own_) co_await own_->server.run();
}

}  // namespace millrace
