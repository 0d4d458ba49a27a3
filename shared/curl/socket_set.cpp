#include "shared/curl/socket_set.h"

#include <sys/epoll.h>

#include <array>
#include <system_error>

namespace millrace {
namespace {

/// Ready sockets taken in one go; the rest are still ready at the next.
constexpr int ready_max = 256;

int new_set() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return fd;
}

}  // namespace

SocketSet::SocketSet(asio::io_context& loop, Heard heard)
    : set_(loop.get_executor(), new_set()), heard_(std::make_shared<Heard>(std::move(heard))) {
  wait();
}

SocketSet::~SocketSet() = default;

void SocketSet::watch(int fd, bool read, bool write, bool known) {
  epoll_event event{};
  event.events = (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u);
  event.data.fd = fd;
  const int set = set_.native_handle();
  // A number may have been closed and given again between two calls: then it is not in the set.
  if (known && epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) == 0) return;
  if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST)
    epoll_ctl(set, EPOLL_CTL_MOD, fd, &event);
}

void SocketSet::forget(int fd) {
  epoll_event unused{};
  epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, fd, &unused);
}

void SocketSet::wait() {
  auto wake = [this, alive = std::weak_ptr<Heard>(heard_)](boost::system::error_code failed) {
    if (failed || alive.expired()) return;
    take_ready();
    wait();
  };
  set_.async_wait(asio::posix::descriptor_base::wait_read, std::move(wake));
}

void SocketSet::take_ready() {
  std::array<epoll_event, ready_max> events;
  const int count = epoll_wait(set_.native_handle(), events.data(), ready_max, 0);
  for (int i = 0; i < count; ++i) {
    const auto bits = events[static_cast<std::size_t>(i)].events;
    (*heard_)({.fd = events[static_cast<std::size_t>(i)].data.fd,
               .readable = (bits & (EPOLLIN | EPOLLHUP)) != 0,
               .writable = (bits & EPOLLOUT) != 0,
               .failed = (bits & EPOLLERR) != 0});
  }
}

}  // namespace millrace
