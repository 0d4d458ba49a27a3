#pragma once
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "shared/postgres/visit.h"
#include "tests/shared/postgres/free_port.h"

namespace millrace {

/// A Postgres of the test's own, on a free port of the loopback, with a folder of its own; both go
/// with it. It refuses to run as root: then it is the user `postgres`'s. Blocks while it starts.
class PostgresServer {
 public:
  PostgresServer() : port_(free_port()) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "millrace-postgres-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    folder_ = pattern;
    if (const passwd* user = own_user())
      if (::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0)
        throw std::runtime_error("its folder cannot be given away");
    const pid_t maker = run({programs() + "/initdb", "-D", folder_ + "/data", "-U", "postgres",
                             "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"});
    int status = 1;
    ::waitpid(maker, &status, 0);
    if (status != 0) throw std::runtime_error("initdb failed");
    start();
  }
  ~PostgresServer() {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  static bool installed() { return !programs().empty(); }

  std::string url() const {
    return "postgres://postgres@127.0.0.1:" + std::to_string(port_) + "/postgres";
  }

  /// On the same port, with the data that is left.
  void start() {
    pid_ = run({programs() + "/postgres", "-D", folder_ + "/data", "-p", std::to_string(port_),
                "-k", folder_, "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=16MB"});
    if (!postgres::Visit::open(url(), 30s, 5s))
      throw std::runtime_error("Postgres does not answer");
  }
  /// SIGKILL of all of it, as when its machine loses power but for the disk's cache.
  void kill() {
    signal_all(SIGKILL);
    wait();
  }
  /// A fast shutdown: connections are ended, what runs is rolled back.
  void stop() {
    if (pid_ > 0) ::kill(pid_, SIGINT);
    wait();
  }
  /// SIGSTOP: connections stand, nothing answers.
  void pause() { signal_all(SIGSTOP); }
  void resume() { signal_all(SIGCONT); }

 private:
  static std::string programs() {
    std::string newest;
    std::error_code none;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none))
      newest = std::max(newest, version.path().string() + "/bin");
    return newest;
  }
  static const passwd* own_user() { return ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr; }

  pid_t run(std::vector<std::string> words) const {
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const passwd* user = own_user();
    const pid_t pid = ::fork();
    if (pid < 0) throw std::runtime_error("no process for Postgres");
    if (pid > 0) return pid;
    if (user && (::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0)) ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves nothing behind
    ::setsid();
    if (::chdir(folder_.c_str()) != 0) ::_exit(126);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }

  /// Postgres is a process a connection, and some besides.
  void signal_all(int number) const {
    if (pid_ < 0) return;
    std::vector<pid_t> pids{pid_};
    const auto task = std::to_string(pid_);
    std::ifstream children("/proc/" + task + "/task/" + task + "/children");
    for (pid_t child = 0; children >> child;) pids.push_back(child);
    for (const pid_t pid : pids) ::kill(pid, number);
  }
  void wait() {
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  std::string folder_;
  int port_;
  pid_t pid_ = -1;
};

}  // namespace millrace
