#include "bench/load/publisher.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

constexpr std::int64_t in_flight_max = 20'000;

int connect_to(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    std::perror("sse_load: publisher cannot connect");
    std::exit(2);
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

std::string replace(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

void command(std::string& out, std::initializer_list<std::string_view> words) {
  out += "*" + std::to_string(words.size()) + "\r\n";
  for (const auto word : words) {
    out += "$" + std::to_string(word.size()) + "\r\n";
    out.append(word).append("\r\n");
  }
}

/// What one event becomes on the wire, and how its acknowledgements are counted.
class Form {
 public:
  explicit Form(const Options& options) : options_(options), seqs_(options.channels.size(), 1) {
    if (options.publish == "millrace") {
      kind_ = millrace;
      key_ = channel_ = "mr:{{ch}}:events";
    } else if (options.publish.rfind("stream:", 0) == 0) {
      kind_ = stream;
      const auto comma = options.publish.find(',');
      key_ = options.publish.substr(7, comma - 7);
      channel_ = options.publish.substr(comma + 1);
    } else {
      kind_ = http;
      const auto colon = options.publish.find(':', 5);
      port_ = std::atoi(options.publish.substr(5, colon - 5).c_str());
      key_ = options.publish.substr(colon + 1);
    }
  }

  int port() const { return kind_ == http ? port_ : options_.redis_port; }
  /// Bytes that each acknowledgement ends with, and how many an event brings.
  std::string_view mark() const { return kind_ == http ? "\r\n\r\n" : "\n"; }
  int marks() const { return kind_ == http ? 1 : 3; }  // XADD: length and id lines; PUBLISH: one

  void write(std::string& out, std::size_t channel) {
    const std::string& name = options_.channels[channel];
    std::string payload = "~" + std::to_string(now_ns()) + "~";
    payload.resize(
        std::max<std::size_t>(payload.size(), static_cast<std::size_t>(options_.payload_bytes)),
        'x');
    const std::string key = replace(key_, "{ch}", name);
    if (kind_ == http) {
      out += "POST " + key +
             " HTTP/1.1\r\nHost: bench\r\nContent-Length: " + std::to_string(payload.size()) +
             "\r\n\r\n" + payload;
    } else if (kind_ == stream) {
      command(out, {"XADD", key, "MAXLEN", "~", "2000", "*", "d", payload});
      command(out, {"PUBLISH", replace(channel_, "{ch}", name), "1"});
    } else {
      const std::string seq = std::to_string(++seqs_[channel]);
      const std::string event = "delta {\"job\":\"" + name + "\",\"seq\":" + seq +
                                ",\"type\":\"delta\",\"ts\":\"2026-01-01T00:00:00.000Z\"," +
                                "\"elapsed\":1.000,\"text\":\"" + payload + "\"}";
      command(out, {"XADD", key, seq + "-0", "e", event});
      command(out, {"PUBLISH", key, seq + " " + event + "\n"});
    }
  }

 private:
  enum Kind { millrace, stream, http };
  const Options& options_;
  Kind kind_ = millrace;
  int port_ = 0;
  std::string key_;
  std::string channel_;
  std::vector<std::int64_t> seqs_;
};

/// Counts acknowledgements in what the server sends back.
class Acknowledgements {
 public:
  explicit Acknowledgements(std::string_view mark) : mark_(mark) {}

  std::int64_t count(std::string_view bytes) {
    carry_.append(bytes);
    std::int64_t found = 0;
    std::size_t at = 0;
    for (std::size_t next; (next = carry_.find(mark_, at)) != std::string::npos;
         at = next + mark_.size())
      ++found;
    carry_.erase(0, at);
    return found;
  }

 private:
  std::string_view mark_;
  std::string carry_;
};

}  // namespace

std::int64_t publish(const Options& options, const std::atomic<bool>& stop) {
  Form form(options);
  Acknowledgements acknowledgements(form.mark());
  const int fd = connect_to(form.port());
  const std::int64_t start = now_ns();
  std::int64_t sent = 0;
  std::int64_t marks = 0;
  std::string out;
  char in[65536];
  while (marks < options.events * form.marks() && !stop) {
    const auto due = std::min<std::int64_t>(
        options.events,
        static_cast<std::int64_t>(static_cast<double>(now_ns() - start) / 1e9 * options.rate));
    const std::int64_t room = marks / form.marks() + in_flight_max;
    for (; sent < std::min(due, room); ++sent)
      form.write(out, static_cast<std::size_t>(sent) % options.channels.size());
    pollfd ready{fd, static_cast<short>(POLLIN | (out.empty() ? 0 : POLLOUT)), 0};
    poll(&ready, 1, 1);
    if (ready.revents & POLLOUT) {
      const auto written = send(fd, out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (written > 0) out.erase(0, static_cast<std::size_t>(written));
    }
    if (ready.revents & POLLIN) {
      const auto got = recv(fd, in, sizeof in, MSG_DONTWAIT);
      if (got == 0) break;
      if (got > 0) marks += acknowledgements.count({in, static_cast<std::size_t>(got)});
    }
  }
  close(fd);
  return marks / form.marks();
}
