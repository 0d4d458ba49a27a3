#include "ops/roles/open_door.h"

#include <boost/asio/co_spawn.hpp>
#include <stdexcept>

#include "ops/roles/loop.h"
#include "shared/runtime/config_value.h"

namespace millrace {
namespace {

bool any_key(Services& services) {
  Loop loop;
  const auto keys = services.api_keys(loop.clock);
  Result<std::vector<ApiKey>> found = Failure(Errc::timed_out);
  asio::co_spawn(loop.io, keys->changed_since(0, 1),
                 [&](const std::exception_ptr&, Result<std::vector<ApiKey>> said) {
                   found = std::move(said);
                   loop.io.stop();  // the deadline that was met is still set
                 });
  loop.io.run();
  if (!found) throw std::runtime_error("the store does not answer; `millrace doctor` looks at it");
  return !found->empty();
}

}  // namespace

void refuse_open_door(const Config& config, Services& services) {
  if (config.auth != "auto" || config_value::loopback(config.host)) return;
  if (any_key(services)) return;
  throw std::invalid_argument(
      "HOST is " + config.host +
      ", which others can reach, and no API key was ever made: make one (`millrace keys create`), "
      "or say AUTH=off, where somebody else guards the door, or AUTH=on, to refuse everybody until "
      "there is a key");
}

}  // namespace millrace
