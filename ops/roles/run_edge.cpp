#include "ops/roles/commands.h"
#include "ops/roles/edge_side.h"
#include "ops/roles/server_services.h"
#include "shared/runtime/log.h"

namespace millrace {

std::string secret_of(const Config& config, Random& random) {
  if (!config.secret.empty()) return config.secret;
  log::warn("secret_made_up",
            {{"remedy",
              "set MILLRACE_SECRET, the same on every edge: stream links outlive a restart then"}});
  return new_token(random).str();
}

int run_edge(const Config& config) {
  SystemRandom random;
  ServerServices services(config, random, {.edge = true});
  EdgeSide edge(config, services, secret_of(config, random));
  return run_roles(edge.roles());
}

}  // namespace millrace
