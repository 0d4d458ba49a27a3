#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace millrace {

/// Takes one event of a stream. The data is valid during the call only. False: no more.
class SseTaker {
 public:
  virtual ~SseTaker() = default;
  virtual bool on_event(std::string_view data) = 0;
};

/// Reads server-sent events (WHATWG HTML, "9.2.6 Interpreting an event stream") cut anywhere:
/// LF, CR and CRLF, comments, several `data` lines, a byte order mark. Only `data` is kept; the
/// other fields mean nothing to a model's stream. What lies whole in one piece is not copied.
class SseParser {
 public:
  enum class State { reading, stopped, too_long };

  /// An event, and so a line, is at most `bytes_max` long.
  explicit SseParser(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// `stopped` once the taker said so, `too_long` for good once the limit was passed.
  State push(std::string_view bytes, SseTaker& taker);
  /// The stream ended in order: an event that lacks only its blank line counts.
  State end(SseTaker& taker);
  void reset();

 private:
  void take_line(std::string_view line, SseTaker& taker);
  void dispatch(SseTaker& taker);
  void keep_data();

  std::size_t bytes_max_;
  std::string line_;       ///< the beginning of a line whose end has not come yet
  std::string data_;       ///< of the event under way, once it had to be kept
  std::string_view view_;  ///< of the event under way, while it lies in the piece being read
  bool has_data_ = false;
  bool skip_lf_ = false;  ///< the last byte was CR: an LF that follows belongs to it
  bool first_line_ = true;
  State state_ = State::reading;
};

}  // namespace millrace
