#include "shared/postgres/own_loop.h"

#include <boost/asio/co_spawn.hpp>

namespace millrace::postgres {

void OwnLoop::run(Task<> task) {
  std::exception_ptr failure;
  asio::co_spawn(loop_, std::move(task), [this, &failure](std::exception_ptr thrown) {
    failure = thrown;
    loop_.stop();  // a deadline that was met leaves its timer armed
  });
  loop_.restart();
  loop_.run();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace millrace::postgres
