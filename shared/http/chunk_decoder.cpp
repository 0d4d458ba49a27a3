#include "shared/http/chunk_decoder.h"

#include <algorithm>

#include "shared/http/request_head.h"

namespace millrace::http {
namespace {

// Extensions and trailers of one body may hold this much and as much again as the data.
constexpr std::size_t ignored_bytes_free = 8 * 1024;
constexpr int size_digits_max = 16;
constexpr std::uint64_t size_max = std::uint64_t{1} << 48;

bool is_ignorable(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

Problem bad_chunk() {
  return {400,
          "bad_chunk",
          "The chunked body is malformed",
          "Each chunk is its size in hex, CR LF, that many bytes, CR LF; the last has size 0 "
          "(RFC 9112, 7.1); extensions and trailers may hold 8 KiB more than the data.",
          {}};
}

}  // namespace

Problem body_too_large(std::size_t body_bytes_max) {
  return {413,
          "body_too_large",
          "The body is too large",
          "This route takes a body of at most " + std::to_string(body_bytes_max) +
              " bytes. Send less, or split it.",
          {}};
}

bool ChunkDecoder::take_size_digit(char c) {
  int digit = -1;
  if (c >= '0' && c <= '9') digit = c - '0';
  if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
  if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
  if (digit < 0) return false;
  size_ = size_ << 4 | static_cast<std::uint64_t>(digit);
  // Zeros without end would make an endless line.
  return size_ < size_max && ++size_digits_ <= size_digits_max;
}

bool ChunkDecoder::ignore(bool allowed) {
  return allowed && ++ignored_bytes_ <= ignored_bytes_free + total_;
}

bool ChunkDecoder::take(char c) {
  const auto go = [this](Step next) {
    step_ = next;
    return true;
  };
  switch (step_) {
    case Step::size_first:
      size_ = 0;
      size_digits_ = 0;
      step_ = Step::size;
      return take_size_digit(c);
    case Step::size:
      if (c == '\r') return go(Step::size_lf);
      if (c == ';') return go(Step::extension);
      return take_size_digit(c);
    case Step::extension:
      if (c == '\r') return go(Step::size_lf);
      return ignore(is_ignorable(c));
    case Step::size_lf:
      return c == '\n' && go(size_ == 0 ? Step::trailer_first : Step::data);
    case Step::data_cr:
      return c == '\r' && go(Step::data_lf);
    case Step::data_lf:
      return c == '\n' && go(Step::size_first);
    case Step::trailer_first:
      if (c == '\r') return go(Step::last_lf);
      step_ = Step::trailer_name;
      return ignore(is_token_char(c));
    case Step::trailer_name:
      if (c == ':') return go(Step::trailer_value);
      return ignore(is_token_char(c));
    case Step::trailer_value:
      if (c == '\r') return go(Step::trailer_lf);
      return ignore(is_ignorable(c));
    case Step::trailer_lf:
      return c == '\n' && go(Step::trailer_first);
    case Step::last_lf:
      return c == '\n' && go(Step::done);
    case Step::data:
    case Step::done:
      break;
  }
  return false;
}

std::expected<std::size_t, Problem> ChunkDecoder::feed(std::string_view bytes, std::string& body) {
  std::size_t at = 0;
  while (at < bytes.size() && step_ != Step::done) {
    if (step_ != Step::data) {
      if (!take(bytes[at])) return std::unexpected(bad_chunk());
      ++at;
      if (step_ == Step::data && total_ + size_ > body_bytes_max_)
        return std::unexpected(body_too_large(body_bytes_max_));
      continue;
    }
    const auto taken = std::min<std::uint64_t>(size_, bytes.size() - at);
    body.append(bytes, at, taken);
    at += taken;
    total_ += taken;
    size_ -= taken;
    if (size_ == 0) step_ = Step::data_cr;
  }
  return at;
}

}  // namespace millrace::http
