#pragma once
#include <sys/resource.h>

#include <csignal>

#include "tests/seams/small_disk.h"

namespace millrace {

/// Files may not grow while this lives: a disk that fails in another way than by being full.
class NoGrowth {
 public:
  NoGrowth() {
    getrlimit(RLIMIT_FSIZE, &before_);
    auto none = before_;
    none.rlim_cur = 1;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
  }
  NoGrowth(const NoGrowth&) = delete;
  NoGrowth& operator=(const NoGrowth&) = delete;
  ~NoGrowth() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_{};
};

}  // namespace millrace
