#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace::relay {

/// Whose jobs a reader may see.
class Readable {
 public:
  /// Anybody's: a signed link names the one job it was made for.
  Readable() = default;
  explicit Readable(std::string tenant) : tenant_(std::move(tenant)) {}

  bool covers(std::string_view tenant) const { return !tenant_ || *tenant_ == tenant; }

 private:
  std::optional<std::string> tenant_;
};

}  // namespace millrace::relay
