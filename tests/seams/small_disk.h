#pragma once
#include <sys/mount.h>

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

}  // namespace millrace
