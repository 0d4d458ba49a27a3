#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::cli {

/// A JSON document that an edge sent, read by pointers (RFC 6901). What is not there, or is of
/// another type, reads as nothing.
class Json {
 public:
  explicit Json(std::string_view text);
  ~Json();
  Json(const Json&) = delete;
  Json& operator=(const Json&) = delete;

  explicit operator bool() const;
  std::string text(std::string_view pointer) const;  ///< of a string; else empty
  std::optional<std::int64_t> number(std::string_view pointer) const;
  std::optional<double> real(std::string_view pointer) const;
  bool truth(std::string_view pointer) const;
  /// The value as JSON on one line; empty where there is none or null.
  std::string raw(std::string_view pointer) const;
  /// The elements of a list, each as JSON on one line.
  std::vector<std::string> list(std::string_view pointer) const;

 private:
  struct Document;
  std::unique_ptr<Document> document_;
};

}  // namespace millrace::cli
