#pragma once
#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <new>

namespace millrace {

/// While it lives SQLite's files are the system's, but their syncs can be told to fail: what was
/// written stays readable, and nobody knows whether it would outlive the machine.
class FailingSync {
 public:
  FailingSync() {
    system_ = sqlite3_vfs_find(nullptr);
    ours_ = *system_;
    ours_.zName = "failing-sync";
    ours_.szOsFile = static_cast<int>(sizeof(File)) + system_->szOsFile;
    ours_.xOpen = open;
    sqlite3_vfs_register(&ours_, 1);
  }
  FailingSync(const FailingSync&) = delete;
  FailingSync& operator=(const FailingSync&) = delete;
  ~FailingSync() {
    sqlite3_vfs_unregister(&ours_);
    fails_ = false;
  }

  static void fail(bool fails) { fails_ = fails; }

 private:
  /// The system's file lies behind ours, which passes everything on.
  struct File {
    sqlite3_file file;
    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };
  static sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real(); }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
    file->pMethods = nullptr;
    sqlite3_file* const behind = real(file);
    const int code = system_->xOpen(system_, name, behind, flags, out);
    if (code == SQLITE_OK) file->pMethods = methods();
    return code;
  }

  template <auto Member, class... Arguments>
  static int pass(sqlite3_file* file, Arguments... arguments) {
    return (real(file)->pMethods->*Member)(real(file), arguments...);
  }
  static int sync(sqlite3_file* file, int flags) {
    if (fails_) return SQLITE_IOERR_FSYNC;
    return pass<&sqlite3_io_methods::xSync>(file, flags);
  }
  static void barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }

  static const sqlite3_io_methods* methods() {
    using Io = sqlite3_io_methods;
    static const Io all{3,
                        pass<&Io::xClose>,
                        pass<&Io::xRead>,
                        pass<&Io::xWrite>,
                        pass<&Io::xTruncate>,
                        sync,
                        pass<&Io::xFileSize>,
                        pass<&Io::xLock>,
                        pass<&Io::xUnlock>,
                        pass<&Io::xCheckReservedLock>,
                        pass<&Io::xFileControl>,
                        pass<&Io::xSectorSize>,
                        pass<&Io::xDeviceCharacteristics>,
                        pass<&Io::xShmMap>,
                        pass<&Io::xShmLock>,
                        barrier,
                        pass<&Io::xShmUnmap>,
                        pass<&Io::xFetch>,
                        pass<&Io::xUnfetch>};
    return &all;
  }

  static inline sqlite3_vfs* system_ = nullptr;
  static inline std::atomic<bool> fails_ = false;
  sqlite3_vfs ours_{};
};

}  // namespace millrace
