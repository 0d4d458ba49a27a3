#pragma once
#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace millrace {

/// Looks each second, on a thread of its own, whether files a process holds open are still the ones
/// their names lead to. What is written to one that was removed or replaced is gone with the
/// process, and nobody else would tell.
class FolderWatch {
 public:
  /// All of them stand there now. `folder` is what an operator knows them by.
  FolderWatch(std::string folder, std::vector<std::string> paths);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  /// As of the last look. Any thread. True again when the same files were put back.
  bool standing() const { return standing_.load(std::memory_order_relaxed); }
  /// What is wrong where they do not stand, and what to do.
  const std::string& trouble() const { return trouble_; }

 private:
  struct Known {
    std::string path;
    dev_t device = 0;
    ino_t file = 0;
  };
  static Known known(std::string path);
  void run();
  void look();

  const std::string folder_;
  const std::string trouble_;
  std::vector<Known> files_;
  std::atomic<bool> standing_ = true;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace millrace
