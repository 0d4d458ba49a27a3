#include "tests/simulation/servers.h"

namespace millrace::sim {

Servers::Servers(World& world, const memory::Bugs& all_bugs, memory::LogServer::Options log_options)
    : bugs(all_bugs),
      log(
          [&world, this] {
            return std::chrono::microseconds(world.wall().time_since_epoch()) + log_clock_wrong_by;
          },
          log_options, bugs),
      store([&world] { return world.wall(); }, std::string(32, '5'), bugs),
      broker([&world] { return world.now(); }, {}) {
  tick(world);
}

void Servers::tick(World& world) {
  if (broker_host.up) broker.tick();
  world.after(250ms, [this, &world] { tick(world); });
}

}  // namespace millrace::sim
