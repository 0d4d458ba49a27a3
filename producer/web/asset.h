#pragma once
#include <string_view>

namespace millrace::web {

/// A file that is part of the program (`embed.mjs`). All of it lives as long as the process.
struct Asset {
  std::string_view path;  ///< from where its folder is served, without a slash in front
  std::string_view content_type;
  std::string_view bytes;
  std::string_view gzip;    ///< the same, compressed; empty where that saves nothing
  std::string_view brotli;  ///< likewise
  std::string_view hash;    ///< of `bytes`, in hex
  bool named_by_hash;       ///< another content would have another path
};

}  // namespace millrace::web
