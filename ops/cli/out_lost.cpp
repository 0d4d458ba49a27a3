#include "ops/cli/out_lost.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "ops/cli/exit_code.h"

namespace millrace::cli {

int exit_for(const OutLost& lost) {
  if (lost.error == EPIPE) return 128 + SIGPIPE;
  const std::string why = lost.error == 0 ? "" : std::string(": ") + std::strerror(lost.error);
  std::fprintf(stderr, "millrace: stdout cannot be written%s\n", why.c_str());
  return code(Exit::failed);
}

int exit_once_written(int code) {
  errno = 0;  // a write that failed before may have left nothing to try again
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  return written || code != 0 ? code : exit_for({errno});
}

}  // namespace millrace::cli
