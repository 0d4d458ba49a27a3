#include "shared/sqlite/database_url.h"

namespace millrace {
namespace {

constexpr std::string_view allowed = "; allowed: a path, sqlite:path or sqlite:///path";

std::unexpected<std::string> refuse(std::string_view url, std::string_view why) {
  // A URL may carry a password; only its scheme is repeated.
  const auto scheme = url.substr(0, url.find(':'));
  return std::unexpected(std::string("database_url (").append(scheme).append("…): ") +
                         std::string(why).append(allowed));
}

}  // namespace

std::expected<std::string, std::string> sqlite_path(std::string_view url) {
  std::string_view path = url;
  if (path.starts_with("sqlite:")) {
    path.remove_prefix(7);
    if (path.starts_with("///"))
      path.remove_prefix(3);
    else if (path.starts_with("//"))
      return refuse(url, "a host is named, but SQLite is a file on this machine");
  } else if (path.find("://") != std::string_view::npos) {
    return refuse(url, "only SQLite is supported in this version");
  }
  if (path.empty()) return refuse(url, "no file is named");
  if (path.starts_with(":memory:") || path.starts_with("file:"))
    return refuse(url, "the store is shared between processes and must be a plain file");
  if (path.find('\0') != std::string_view::npos) return refuse(url, "the path holds a NUL");
  return std::string(path);
}

}  // namespace millrace
