#pragma once
#include <cstdint>
#include <string>
#include <vector>

/// What one run of sse_load does; every bound is checked by `read_options`.
struct Options {
  std::string host = "127.0.0.1";
  int port = 0;
  std::string path;                   ///< `{ch}` stands for the channel's name
  std::vector<std::string> channels;  ///< names, from --channels-file or c0, c1, …
  int connections = 0;                ///< spread evenly over the channels
  int connecting_max = 200;           ///< handshakes in flight
  double hold_s = 0;                  ///< idle time before RSS is read
  std::string publish = "none";       ///< none, millrace, stream:KEY,CHANNEL or http:PORT:PATH
  int redis_port = 0;
  double rate = 0;          ///< events a second over all channels
  std::int64_t events = 0;  ///< to publish
  int payload_bytes = 200;
  std::vector<int> pids;  ///< whose CPU and RSS is counted
};

Options read_options(int argc, char** argv);

/// CPU seconds and resident kB of the processes, from /proc.
double cpu_seconds(const std::vector<int>& pids);
long resident_kb(const std::vector<int>& pids);

std::int64_t now_ns();
