#pragma once
#include <expected>
#include <string>
#include <vector>

namespace millrace::sqlite {

/// What an SQLite file says of itself.
struct Examination {
  std::string library;                ///< SQLite's version that runs
  bool library_old = false;           ///< older than the one this was built with
  int version = 0;                    ///< of the schema; 0: none of ours
  int newest = 0;                     ///< that this build knows
  std::vector<std::string> damage{};  ///< what `quick_check` finds, at most ten lines
};

/// Reads the whole file and changes nothing; may run beside a process that writes. The error is a
/// sentence that names the file. Blocks: about a second a GB from the page cache.
std::expected<Examination, std::string> examine(const std::string& path);

/// The id of the Store in that file; empty where there is none.
std::string store_id(const std::string& path);

}  // namespace millrace::sqlite
