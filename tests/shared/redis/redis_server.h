#pragma once
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace millrace {

/// A Redis server of the test's own, on a free port of the loopback, with a folder of its own;
/// both go with it. It blocks while the server starts.
class RedisServer {
 public:
  /// Extra arguments of redis-server: `--name`, `value`. Throws when it does not start.
  explicit RedisServer(std::vector<std::string> arguments = {}) : arguments_(std::move(arguments)) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "millrace-redis-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    port_ = free_port();
    start();
  }
  ~RedisServer() {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  static bool installed() {
    return std::filesystem::exists("/usr/bin/redis-server") ||
           std::filesystem::exists("/usr/local/bin/redis-server");
  }

  std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

  /// On the same port, with the data that is left.
  void start() {
    std::vector<std::string> words{"redis-server", "--port",    std::to_string(port_),
                                   "--bind",       "127.0.0.1", "--dir",
                                   folder_,        "--save",    ""};
    words.insert(words.end(), arguments_.begin(), arguments_.end());
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no process for redis-server");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing behind
      ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO);
      ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
    for (int tries = 0; tries < 1000; ++tries) {
      const std::string answer = command("PING");
      if (answer == "+PONG" || answer.starts_with("-NOAUTH")) return;
      ::poll(nullptr, 0, 5);
    }
    throw std::runtime_error("redis-server does not answer");
  }
  /// SIGKILL: what was not written is gone.
  void kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  /// Between `kill` and `start`.
  void forget_data() {
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      std::filesystem::remove_all(entry.path());
  }
  /// SIGSTOP: connections stand, nothing answers.
  void pause() { ::kill(pid_, SIGSTOP); }
  void resume() { ::kill(pid_, SIGCONT); }

  /// One command on a connection of its own; the first line of the answer, empty without one.
  std::string command(const std::string& line) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in at = loopback(port_);
    std::string answer;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0) {
      const std::string sent = line + "\r\n";
      ::send(fd, sent.data(), sent.size(), MSG_NOSIGNAL);
      char byte = 0;
      pollfd ready{fd, POLLIN, 0};
      while (::poll(&ready, 1, 5000) == 1 && ::read(fd, &byte, 1) == 1 && byte != '\r')
        answer += byte;
    }
    ::close(fd);
    return answer;
  }

 private:
  static sockaddr_in loopback(int port) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    return at;
  }
  static int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    ::bind(fd, reinterpret_cast<sockaddr*>(&at), size);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
    ::close(fd);
    return ntohs(at.sin_port);
  }

  std::vector<std::string> arguments_;
  std::string folder_;
  int port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace millrace
