#include "ops/roles/commands.h"
#include "ops/roles/edge_side.h"
#include "ops/roles/server_services.h"

namespace millrace {

int run_edge(const Config& config) {
  SystemRandom random;
  ServerServices services(config, random, {.edge = true});
  EdgeSide edge(config, services);
  return run_roles(edge.roles());
}

}  // namespace millrace
