#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "shared/contract/problem.h"

namespace millrace::http {

/// Takes a chunked body apart (RFC 9112, 7.1) however it was cut on the way. Extensions and
/// trailers are read past, bounded and thrown away. Strict where servers differ: no blank around
/// a size, no sign or prefix, CR LF only.
class ChunkDecoder {
 public:
  explicit ChunkDecoder(std::size_t body_bytes_max) : body_bytes_max_(body_bytes_max) {}

  /// Appends what `bytes` hold of the body to `body` and returns how many of them belong to it;
  /// fewer than all only when the body has ended. Fails with 400, or 413 as soon as a size says
  /// the body will pass the limit.
  std::expected<std::size_t, Problem> feed(std::string_view bytes, std::string& body);
  bool done() const { return step_ == Step::done; }

 private:
  enum class Step : std::uint8_t {
    size_first,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,
    trailer_name,
    trailer_value,
    trailer_lf,
    last_lf,
    done
  };

  /// One byte of framing; false when it may not stand there.
  bool take(char c);
  bool take_size_digit(char c);
  /// Counts a byte that is read past.
  bool ignore(bool allowed);

  std::size_t body_bytes_max_;
  std::uint64_t size_ = 0;  ///< of the chunk, then what is left of it
  std::uint64_t total_ = 0;
  std::uint64_t ignored_bytes_ = 0;
  int size_digits_ = 0;
  Step step_ = Step::size_first;
};

Problem body_too_large(std::size_t body_bytes_max);

}  // namespace millrace::http
