#include "ops/roles/sim_role.h"

#include <cstdio>

namespace millrace {
namespace {

http::ServerOptions server_options(const Config& config) {
  http::ServerOptions options;
  options.host = config.host;
  options.port = config.sim_port;
  return options;
}

}  // namespace

SimRole::SimRole(Loop& loop, const Config& config)
    : config_(config),
      simulator_(loop.clock),
      server_(loop.clock, loop.random, router_, server_options(config)) {
  http::require_free(config.host, config.sim_port);
  simulator_.add_to(router_);
}

Task<> SimRole::run() {
  server_.listen();
  std::printf("listening on http://%s:%u\n", config_.host.c_str(), server_.port());
  std::fflush(stdout);
  co_await server_.run();
}

void SimRole::drain() {
  server_.drain(1s);
}

}  // namespace millrace
