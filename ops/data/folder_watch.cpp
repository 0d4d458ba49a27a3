#include "ops/data/folder_watch.h"

#include <sys/stat.h>

#include <chrono>

#include "shared/runtime/log.h"

namespace millrace {
namespace {

constexpr auto look_every = std::chrono::seconds(1);

}  // namespace

FolderWatch::Known FolderWatch::known(std::string path) {
  struct stat found{};
  const bool there = ::stat(path.c_str(), &found) == 0;
  return {std::move(path), there ? found.st_dev : 0, there ? found.st_ino : 0};
}

FolderWatch::FolderWatch(std::string folder, std::vector<std::string> paths)
    : folder_(std::move(folder)),
      trouble_("the data folder " + folder_ +
               " was removed or replaced while it is served: put it back, or stop this millrace "
               "and start it on a folder that stays") {
  for (auto& path : paths) files_.push_back(known(std::move(path)));
  thread_ = std::thread([this] { run(); });
}

FolderWatch::~FolderWatch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

void FolderWatch::run() {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, look_every, [this] { return ending_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void FolderWatch::look() {
  const Known* gone = nullptr;
  for (const Known& file : files_) {
    const Known now = known(file.path);
    if (now.file != file.file || now.device != file.device) gone = &file;
  }
  const bool standing = !gone;
  if (standing_.exchange(standing) == standing) return;
  if (standing)
    log::info("data_folder_back", {{"folder", folder_}});
  else
    log::error("data_folder_gone",
               {{"folder", folder_}, {"file", gone->path}, {"remedy", trouble_}});
}

}  // namespace millrace
