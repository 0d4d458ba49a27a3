#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "producer/relay/dialect_stream.h"
#include "producer/relay/sse.h"
#include "shared/contract/event.h"

namespace millrace::conversations_test {

inline const JobId id = *JobId::parse("01a1fe87-e606-7657-bf68-4eb31e12a026");
inline constexpr WallTime accepted{std::chrono::milliseconds(1'790'000'000'123)};

/// A log as its lines; each event comes 40 ms after the acceptance.
class Log {
 public:
  Log& queued() {
    writer_.queued(lines, next(), 3, 1.5);
    return *this;
  }
  Log& started() {
    writer_.started(lines, next(), 1, "w");
    return *this;
  }
  Log& status(std::string_view message) {
    writer_.status(lines, next(), message);
    return *this;
  }
  Log& delta(std::string_view text) {
    writer_.delta(lines, next(), text);
    return *this;
  }
  Log& rewind(Seq to) {
    writer_.rewind(lines, next(), to);
    return *this;
  }
  Log& snapshot(std::string_view text) {
    const Seq upto = seq_;
    writer_.snapshot(lines, next(), text, upto);
    return *this;
  }
  Log& gap(Seq from, Seq to) {
    seq_ = to;
    writer_.gap(lines, next(), from, to);
    return *this;
  }
  /// An event of another version, or of another kind of job.
  Log& event(const std::string& type, const std::string& members) {
    const std::string seq = std::to_string(next().seq);
    lines += seq + " " + type + R"( {"job":")" + id.str() + R"(","seq":)" + seq + R"(,"type":")" +
             type + R"(","ts":"2026-09-21T13:33:20.163Z","elapsed":0.040,)" + members + "}\n";
    return *this;
  }
  Log& end(const Outcome& outcome) {
    for (const auto& call : outcome.tool_calls) writer_.tool_call(lines, next(), call);
    writer_.terminal(lines, next(), outcome);
    return *this;
  }

  std::string lines;

 private:
  EventWriter::At next() { return {.seq = ++seq_, .now = accepted + 40ms}; }
  EventWriter writer_{id, accepted};
  Seq seq_ = 0;
};

inline Outcome answer(std::string text) {
  Outcome outcome;
  outcome.state = JobState::succeeded;
  outcome.text = std::move(text);
  outcome.finish_reason = "stop";
  outcome.model = "m";
  outcome.usage = R"({"total_tokens":6})";
  return outcome;
}

inline Outcome ended(JobState state, std::string code = "", std::string message = "") {
  Outcome outcome;
  outcome.state = state;
  outcome.error_code = std::move(code);
  outcome.error_message = std::move(message);
  return outcome;
}

/// The blocks that a reader of the whole log is told, each without its empty line.
inline std::vector<std::string> told(relay::Dialect& dialect, std::string_view frames) {
  std::string bytes;
  relay::Frame frame;
  while (relay::next_frame(frames, frame)) dialect.take(frame, bytes);
  std::vector<std::string> blocks;
  for (std::size_t end = 0; (end = bytes.find("\n\n")) != std::string::npos;) {
    blocks.push_back(bytes.substr(0, end));
    bytes.erase(0, end + 2);
  }
  if (!bytes.empty()) blocks.push_back("not a whole block: " + bytes);
  return blocks;
}
inline std::vector<std::string> told(relay::Dialect& dialect, const Log& log) {
  return told(dialect, relay::frame_page(id, log.lines, 0).frames);
}

}  // namespace millrace::conversations_test
