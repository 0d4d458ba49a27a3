#include "ops/roles/run_roles.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "shared/runtime/log.h"

namespace millrace {
namespace {

/// The threads, seen from the one that hears the signals.
class RoleThreads {
 public:
  int run(const std::vector<MakeRole>& roles) {
    asio::signal_set signals(main_, SIGTERM, SIGINT);
    wait_for_signal(signals);
    while (threads_.size() < roles.size()) threads_.push_back(std::make_unique<RoleThread>());
    left_ = threads_.size();
    for (std::size_t i = 0; i < roles.size(); ++i) start(*threads_[i], roles[i]);
    main_.run();
    for (auto& thread : threads_) thread->thread.join();
    return failed_ ? EXIT_FAILURE : EXIT_SUCCESS;
  }

 private:
  struct RoleThread {
    Loop loop;
    std::unique_ptr<Role> role;  ///< of its own thread
    std::thread thread;
  };

  void start(RoleThread& at, const MakeRole& make) {
    at.thread = std::thread([this, &at, &make] {
      std::string failure;
      try {
        at.role = make(at.loop);
        asio::co_spawn(at.loop.io, at.role->run(), [&](std::exception_ptr thrown) {
          if (thrown) failure = reason(thrown);
          at.loop.io.stop();  // a clock may still be set for a deadline that was met
        });
        at.loop.io.run();
      } catch (...) {
        failure = reason(std::current_exception());
      }
      at.role.reset();
      asio::post(main_, [this, failure] { ended(failure); });
    });
  }

  static std::string reason(std::exception_ptr thrown) {
    try {
      std::rethrow_exception(std::move(thrown));
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  void ended(const std::string& failure) {
    if (!failure.empty()) {
      std::fprintf(stderr, "millrace: %s\n", failure.c_str());
      failed_ = true;
      drain();
    }
    if (--left_ == 0) main_.stop();
  }

  void wait_for_signal(asio::signal_set& signals) {
    signals.async_wait([this, &signals](boost::system::error_code stopped, int number) {
      if (stopped) return;
      if (draining_) std::_Exit(128 + number);
      log::info("draining", {{"signal", number}});
      drain();
      wait_for_signal(signals);
    });
  }

  void drain() {
    if (std::exchange(draining_, true)) return;
    for (auto& thread : threads_) {
      asio::post(thread->loop.io, [&role = thread->role] {
        if (role) role->drain();
      });
    }
  }

  asio::io_context main_{1};
  std::vector<std::unique_ptr<RoleThread>> threads_;
  std::size_t left_ = 0;
  bool draining_ = false;
  bool failed_ = false;
};

}  // namespace

int run_roles(const std::vector<MakeRole>& roles) {
  return RoleThreads().run(roles);
}

}  // namespace millrace
