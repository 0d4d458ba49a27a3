#pragma once
#include <map>
#include <string>

#include "ops/cli/screen.h"
#include "ops/cli/sse_reader.h"
#include "shared/contract/event.h"

namespace millrace::cli {

class Json;

/// Shows the events of one or several jobs as they come: text on `out`, everything else as notes;
/// with JSON each event as it was sent, one a line. What is shown of a job's answer is, from its
/// last notice on, the answer. Where a `rewind` takes text back, a terminal is told and shown again
/// what stays. A file or a pipe keeps what it has: it gets what goes beyond that once the answer is
/// there again, and only where the answer turns out another, a new line and all of the answer.
class EventPrinter {
 public:
  enum class Text { as_it_comes, none };  ///< none: only progress is shown
  EventPrinter(Screen& screen, Text text) : screen_(screen), text_(text) {}

  /// Events come in order, each once.
  void take(const SseEvent& event);

  /// The status of the job that ended last; empty while none has.
  const std::string& last_end() const { return last_end_; }

 private:
  struct Told {
    TextFold fold;
    std::string shown;    ///< of the answer, since the last notice
    bool behind = false;  ///< the answer is the beginning of what is shown, and may grow into it
  };

  void show(const SseEvent& event, const Json& json, Told& told);
  void show_text(const SseEvent& event, const Json& json, Told& told);
  void catch_up(Told& told, const std::string& answer, const std::string& why, bool whole);
  void show_end(const SseEvent& event, const Json& json, Told& told);
  void name_job(const std::string& job);

  Screen& screen_;
  const Text text_;
  std::map<std::string, Told> jobs_;
  std::string current_;  ///< whose text is being shown
  std::string last_end_;
};

}  // namespace millrace::cli
