#pragma once
#include <string>

#include "shared/runtime/config.h"

namespace millrace::cli {

/// The Store that a command goes to past any edge, as a person knows it.
struct StorePlace {
  std::string name;    ///< the file with its whole path, or the URL without its password
  bool there = true;   ///< false: a file that nobody has made yet
  bool alone = false;  ///< one process at most serves it, so it shows who does
  std::string server;  ///< `alone`: its pid; empty: nobody serves it now
};

/// Holds the data folder's lock for an instant where one process keeps everything there.
StorePlace store_place(const Config& config);

}  // namespace millrace::cli
