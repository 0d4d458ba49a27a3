#pragma once
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

namespace millrace {

/// A file system of 2 MB at `folder`, when this process may mount one.
class SmallDisk {
 public:
  explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {
    std::filesystem::create_directory(folder_);
    mounted_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=2m") == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  void fill() const {
    std::ofstream ballast(path("ballast"));
    const std::string block(4096, 'x');
    while (ballast.write(block.data(), 4096).flush()) continue;
  }
  void make_room() const { std::filesystem::remove(path("ballast")); }

 private:
  std::string folder_;
  bool mounted_ = false;
};

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
