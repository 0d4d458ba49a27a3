#include "bench/load/options.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

namespace {

[[noreturn]] void refuse(const std::string& what) {
  std::fprintf(stderr, "sse_load: %s\n", what.c_str());
  std::exit(2);
}

/// `http://127.0.0.1:PORT/PATH`: a load client of this kind goes to loopback only.
void set_url(Options& options, const std::string& url) {
  const std::string start = "http://127.0.0.1:";
  if (url.rfind(start, 0) != 0) refuse("--url must begin with " + start);
  const auto slash = url.find('/', start.size());
  options.port = std::atoi(url.substr(start.size(), slash - start.size()).c_str());
  options.path = url.substr(slash);
}

void read_channels(Options& options, const std::string& file) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) options.channels.push_back(line);
}

void number_channels(Options& options, int count) {
  for (int i = 0; i < count; ++i) options.channels.push_back("c" + std::to_string(i));
}

void set_pids(Options& options, const std::string& list) {
  std::stringstream in(list);
  for (std::string pid; std::getline(in, pid, ',');) options.pids.push_back(std::atoi(pid.c_str()));
}

}  // namespace

Options read_options(int argc, char** argv) {
  Options options;
  using Set = std::function<void(const std::string&)>;
  const std::map<std::string, Set> known{
      {"--url", [&](const auto& v) { set_url(options, v); }},
      {"--channels-file", [&](const auto& v) { read_channels(options, v); }},
      {"--channels", [&](const auto& v) { number_channels(options, std::atoi(v.c_str())); }},
      {"--connections", [&](const auto& v) { options.connections = std::atoi(v.c_str()); }},
      {"--hold", [&](const auto& v) { options.hold_s = std::atof(v.c_str()); }},
      {"--publish", [&](const auto& v) { options.publish = v; }},
      {"--redis-port", [&](const auto& v) { options.redis_port = std::atoi(v.c_str()); }},
      {"--rate", [&](const auto& v) { options.rate = std::atof(v.c_str()); }},
      {"--events", [&](const auto& v) { options.events = std::atoll(v.c_str()); }},
      {"--payload", [&](const auto& v) { options.payload_bytes = std::atoi(v.c_str()); }},
      {"--pids", [&](const auto& v) { set_pids(options, v); }},
  };
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto found = known.find(argv[i]);
    if (found == known.end()) refuse(std::string("unknown option ") + argv[i]);
    found->second(argv[i + 1]);
  }
  if (options.port == 0 || options.channels.empty()) refuse("--url and channels are needed");
  if (options.connections < 1 || options.connections > 16'000) refuse("--connections: 1 to 16000");
  if (options.events > 10'000'000 || options.hold_s > 60) refuse("--events or --hold is too large");
  return options;
}

double cpu_seconds(const std::vector<int>& pids) {
  double total = 0;
  for (const int pid : pids) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(in)), {});
    const auto after_name = text.rfind(')');
    if (after_name == std::string::npos) continue;
    std::stringstream fields(text.substr(after_name + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;  // state … cmajflt
    double user = 0, system = 0;
    fields >> user >> system;
    total += (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  return total;
}

long resident_kb(const std::vector<int>& pids) {
  long total = 0;
  for (const int pid : pids) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(in, line);)
      if (line.rfind("VmRSS:", 0) == 0) total += std::atol(line.c_str() + 6);
  }
  return total;
}

std::int64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}
