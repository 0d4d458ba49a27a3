#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace millrace::cli {

/// One server-sent event.
struct SseEvent {
  std::string type;
  std::string data;
  std::string id;  ///< of this event; empty where it has none
};

/// Reads an event stream (WHATWG HTML, 9.2.6) cut anywhere. An event counts once its blank line
/// has come: what a cut leaves half is dropped, and comes again after a reconnect.
class SseReader {
 public:
  using Take = std::function<void(const SseEvent&)>;

  void push(std::string_view bytes, const Take& take);
  /// A new connection begins: what is half goes.
  void reset();

 private:
  void take_line(std::string_view line, const Take& take);

  std::string line_;
  SseEvent event_;
  bool skip_lf_ = false;  ///< the last byte was CR: an LF that follows belongs to it
};

}  // namespace millrace::cli
