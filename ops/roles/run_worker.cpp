#include <stdexcept>

#include "ops/roles/commands.h"
#include "ops/roles/server_services.h"
#include "ops/roles/worker_side.h"

namespace millrace {

int run_worker(const Config& config) {
  SystemRandom random;
  ServerServices services(config, random, {.worker = true});
  if (config.llm_server_url.empty())
    throw std::invalid_argument(
        "no model: set LLM_SERVER_URL to an OpenAI-compatible server, or start `millrace llm-sim` "
        "and name its address");
  WorkerSide worker(config, services);
  worker.export_services();
  return run_roles(worker.roles());
}

}  // namespace millrace
