// sse_load: opens SSE connections, keeps them, publishes events and counts what arrives.
// One epoll thread reads, one thread publishes. Loopback only. Prints one JSON line:
//   connect: opened, connect_s, connect_cpu_s; idle: rss_kb_each;
//   deliver: delivered, expected, deliver_s, deliver_cpu_s, p50_ms, p99_ms.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>

#include "bench/load/options.h"
#include "bench/load/publisher.h"

namespace {

struct Connection {
  int fd = -1;
  enum { idle, connecting, head, open, closed } state = idle;
  std::string carry;  // an unfinished head or line
};

class Load {
 public:
  explicit Load(const Options& options) : options_(options), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    connections_.resize(static_cast<std::size_t>(options.connections));
  }

  bool open_all() {
    std::size_t next = 0;
    const auto end = now_ns() + 60'000'000'000LL;
    while (opened_ + failed_ < options_.connections && now_ns() < end) {
      while (next < connections_.size() && handshakes_ < options_.connecting_max) start(next++);
      pump(10);
    }
    return opened_ == options_.connections;
  }

  void pump(int wait_ms) {
    epoll_event events[1024];
    const int ready = epoll_wait(epoll_, events, 1024, wait_ms);
    for (int i = 0; i < ready; ++i) on_ready(events[i].data.u32);
  }

  std::int64_t opened() const { return opened_; }
  std::int64_t delivered() const { return delivered_; }
  std::int64_t first_ns() const { return first_; }
  std::int64_t last_ns() const { return last_; }

  double latency_ms(double quantile) {
    if (latencies_us_.empty()) return -1;
    const auto at =
        latencies_us_.begin() +
        static_cast<std::ptrdiff_t>(quantile * static_cast<double>(latencies_us_.size() - 1));
    std::nth_element(latencies_us_.begin(), at, latencies_us_.end());
    return *at / 1000.0;
  }

 private:
  void start(std::size_t index) {
    Connection& c = connections_[index];
    c.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(c.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x7f000001u + static_cast<std::uint32_t>(index % 8));
    bind(c.fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    connect(c.fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    c.state = Connection::connecting;
    ++handshakes_;
    epoll_event event{.events = EPOLLOUT, .data = {.u32 = static_cast<std::uint32_t>(index)}};
    epoll_ctl(epoll_, EPOLL_CTL_ADD, c.fd, &event);
  }

  void send_request(std::size_t index, Connection& c) {
    std::string path = options_.path;
    const auto at = path.find("{ch}");
    if (at != std::string::npos)
      path.replace(at, 4, options_.channels[index % options_.channels.size()]);
    const std::string request = "GET " + path +
                                " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options_.port) +
                                "\r\nAccept: text/event-stream\r\n\r\n";
    if (send(c.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return fail(c);
    c.state = Connection::head;
    epoll_event event{.events = EPOLLIN, .data = {.u32 = static_cast<std::uint32_t>(index)}};
    epoll_ctl(epoll_, EPOLL_CTL_MOD, c.fd, &event);
  }

  void fail(Connection& c) {
    if (c.state == Connection::connecting || c.state == Connection::head) {
      --handshakes_;
      ++failed_;
    }
    close(c.fd);
    c.state = Connection::closed;
  }

  void on_ready(std::size_t index) {
    Connection& c = connections_[index];
    if (c.state == Connection::connecting) return send_request(index, c);
    static char buffer[1 << 18];
    const auto got = recv(c.fd, buffer, sizeof buffer, 0);
    if (got <= 0) {
      if (got == 0 || (errno != EAGAIN && errno != EINTR)) fail(c);
      return;
    }
    take(c, {buffer, static_cast<std::size_t>(got)});
  }

  void take(Connection& c, std::string_view bytes) {
    if (c.state == Connection::head) {
      c.carry.append(bytes);
      const auto end = c.carry.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (c.carry.compare(9, 3, "200") != 0) {
        if (failed_ == 0) std::fprintf(stderr, "sse_load: %s\n", c.carry.c_str());
        return fail(c);
      }
      c.state = Connection::open;
      --handshakes_;
      ++opened_;
      c.carry.clear();
      c.carry.shrink_to_fit();
      return;
    }
    find_marks(c, bytes);
  }

  /// A marker is `~<ns>~`; one cut by the end of a read is kept for the next.
  void find_marks(Connection& c, std::string_view bytes) {
    if (!c.carry.empty()) {
      c.carry.append(bytes);
      const std::string joined = std::move(c.carry);
      c.carry.clear();
      return scan(c, joined);
    }
    scan(c, bytes);
  }

  void scan(Connection& c, std::string_view bytes) {
    const std::int64_t now = now_ns();
    for (;;) {
      const auto start = bytes.find('~');
      if (start == std::string_view::npos) return;
      const auto end = bytes.find('~', start + 1);
      if (end == std::string_view::npos) {
        c.carry = bytes.substr(start);
        return;
      }
      const std::int64_t sent = std::strtoll(bytes.data() + start + 1, nullptr, 10);
      latencies_us_.push_back(static_cast<float>(now - sent) / 1000.0f);
      if (first_ == 0) first_ = now;
      last_ = now;
      ++delivered_;
      bytes.remove_prefix(end + 1);
    }
  }

  const Options& options_;
  int epoll_;
  std::vector<Connection> connections_;
  std::vector<float> latencies_us_;
  int handshakes_ = 0;
  std::int64_t opened_ = 0, failed_ = 0, delivered_ = 0, first_ = 0, last_ = 0;
};

void deliver(Load& load, const Options& options) {
  const auto per_channel = static_cast<std::int64_t>(options.connections) /
                           static_cast<std::int64_t>(options.channels.size());
  const std::int64_t expected = options.events * per_channel;
  const double cpu = cpu_seconds(options.pids);
  std::atomic<bool> stop = false;
  std::atomic<std::int64_t> acknowledged = -1;
  std::thread publisher([&] { acknowledged = publish(options, stop); });
  std::int64_t seen = 0, progress = now_ns();
  while (load.delivered() < expected && now_ns() - progress < 5'000'000'000LL) {
    load.pump(5);
    if (load.delivered() != seen) {
      seen = load.delivered();
      progress = now_ns();
    }
  }
  stop = true;
  publisher.join();
  std::printf(
      ",\"expected\":%ld,\"delivered\":%ld,\"published\":%ld,\"deliver_s\":%.3f,"
      "\"deliver_cpu_s\":%.3f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"rss_kb_after\":%ld",
      expected, load.delivered(), acknowledged.load(),
      static_cast<double>(load.last_ns() - load.first_ns()) / 1e9, cpu_seconds(options.pids) - cpu,
      load.latency_ms(0.5), load.latency_ms(0.99), resident_kb(options.pids));
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const long rss = resident_kb(options.pids);
  const double cpu = cpu_seconds(options.pids);
  const std::int64_t start = now_ns();
  Load load(options);
  const bool all = load.open_all();
  std::printf("{\"opened\":%ld,\"connect_s\":%.3f,\"connect_cpu_s\":%.3f", load.opened(),
              static_cast<double>(now_ns() - start) / 1e9, cpu_seconds(options.pids) - cpu);
  const auto hold_end = now_ns() + static_cast<std::int64_t>(options.hold_s * 1e9);
  while (now_ns() < hold_end) load.pump(20);
  std::printf(",\"rss_kb_each\":%.2f",
              static_cast<double>(resident_kb(options.pids) - rss) / options.connections);
  if (options.events > 0 && all) deliver(load, options);
  std::printf("}\n");
  return all ? 0 : 1;
}
