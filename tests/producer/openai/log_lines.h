#pragma once
#include <string>
#include <utility>

#include "producer/relay/sse.h"
#include "producer/relay/stored_end.h"

/// Logs of one job, and how a relay gives them to a reader.
namespace millrace::openai {

inline const JobId id = *JobId::parse("01a1fe87-e606-7657-bf68-4eb31e12a026");
inline constexpr WallTime accepted{std::chrono::milliseconds(1'790'000'000'123)};

/// A log as its lines.
class Log {
 public:
  EventWriter::At next() { return {.seq = ++seq, .now = accepted + 40ms}; }
  Log& queued() {
    return wrote([&] { writer.queued(lines, next(), 3, 1.5); });
  }
  Log& started() {
    return wrote([&] { writer.started(lines, next(), 1, "w"); });
  }
  Log& delta(std::string_view text) {
    return wrote([&] { writer.delta(lines, next(), text); });
  }
  Log& aside(Aside kind, std::string_view text) {
    return wrote([&] { writer.aside(lines, next(), kind, text); });
  }
  Log& rewind(Seq to) {
    return wrote([&] { writer.rewind(lines, next(), to); });
  }
  Log& snapshot(std::string_view text) {
    const Seq upto = seq;
    return wrote([&] { writer.snapshot(lines, next(), text, upto); });
  }
  Log& gap(Seq from, Seq to) {
    seq = to;
    return wrote([&] { writer.gap(lines, next(), from, to); });
  }
  Log& end(const Outcome& outcome) {
    for (const auto& call : outcome.tool_calls) writer.tool_call(lines, next(), call);
    writer.terminal(lines, next(), outcome);
    return *this;
  }

  std::string lines;
  Seq seq = 0;

 private:
  template <class Write>
  Log& wrote(const Write& write) {
    write();
    return *this;
  }
  EventWriter writer{id, accepted};
};

inline Outcome answer(std::string text) {
  Outcome outcome;
  outcome.state = JobState::succeeded;
  outcome.text = std::move(text);
  outcome.finish_reason = "stop";
  outcome.model = "m-2026";
  outcome.usage = R"({"prompt_tokens":4,"completion_tokens":2,"total_tokens":6})";
  return outcome;
}

inline Outcome ended(JobState state) {
  Outcome outcome;
  outcome.state = state;
  return outcome;
}

inline Outcome failure(std::string code, std::string message) {
  Outcome outcome;
  outcome.error_code = std::move(code);
  outcome.error_message = std::move(message);
  return outcome;
}

/// What a reader gets of the whole log.
inline std::string frames_of(const Log& log) {
  return relay::frame_page(id, log.lines, 0).frames;
}

/// What a reader gets once the log has gone, and only the Store knows of the job.
inline std::string stored_frames(const Outcome& outcome) {
  StoredJob job;
  job.id = id;
  job.created_at = accepted;
  job.state = outcome.state;
  job.outcome = outcome;
  std::string frames;
  relay::append_made_frame(frames, "gap",
                           relay::made_gap_json(id, {1, relay::last_seq_possible - 1}));
  const auto line = relay::stored_end_line(job);
  return frames + relay::frame_page(id, line, relay::last_seq_possible - 1).frames;
}

}  // namespace millrace::openai
