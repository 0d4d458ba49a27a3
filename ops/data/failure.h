#pragma once
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace millrace {

/// What could not be done, and why by `errno`, which nothing may have changed since.
inline std::runtime_error failure(const std::string& what) {
  return std::runtime_error(what + ": " + std::strerror(errno));
}

}  // namespace millrace
