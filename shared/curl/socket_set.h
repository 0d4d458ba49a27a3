#pragma once
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "shared/runtime/task.h"

namespace millrace {

/// Watches sockets that belong to somebody else. One epoll set of its own, and only that set is
/// known to the loop: a socket comes and goes with one system call, is never owned, never closed
/// here, and a thousand ready ones cost the loop one wake-up.
class SocketSet {
 public:
  struct Ready {
    int fd;
    bool readable;
    bool writable;
    bool failed;
  };
  using Heard = std::function<void(const Ready&)>;

  /// Calls `heard` for each ready socket, on the loop; what it does may change the set.
  SocketSet(asio::io_context& loop, Heard heard);
  ~SocketSet();
  SocketSet(const SocketSet&) = delete;
  SocketSet& operator=(const SocketSet&) = delete;

  /// Watches for what is asked, instead of what was before.
  void watch(int fd, bool read, bool write, bool known);
  void forget(int fd);

 private:
  void wait();
  void take_ready();

  asio::posix::basic_stream_descriptor<Executor> set_;
  std::shared_ptr<Heard> heard_;  ///< a wake-up that is under way holds it weakly
};

}  // namespace millrace
