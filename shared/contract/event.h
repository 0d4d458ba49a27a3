#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/contract/job.h"
#include "shared/contract/outcome.h"

namespace millrace {

/// A job's events are numbered from 1, rising by 1 but for an announced `gap`. Below 2^53.
using Seq = std::uint64_t;

/// Writes events as lines of the log: `<seq> SP <type> SP <one-line JSON> LF`. This is the form
/// in which events travel and rest: written once by the holder, framed by the relay without
/// being parsed. The JSON begins `{"job","seq","type","ts","elapsed"` (event.schema.json).
class EventWriter {
 public:
  EventWriter(const JobId& id, WallTime accepted_at);

  struct At {
    Seq seq;
    WallTime now;
  };

  void queued(std::string& out, At at, std::int64_t position,
              double eta_s) const;  ///< negative: unknown
  void started(std::string& out, At at, std::uint32_t attempt, std::string_view worker) const;
  void status(std::string& out, At at, std::string_view message) const;
  void delta(std::string& out, At at, std::string_view text) const;
  void aside(std::string& out, At at, Aside kind, std::string_view text) const;
  void rewind(std::string& out, At at, Seq to) const;
  void gap(std::string& out, At at, Seq from, Seq to) const;
  void snapshot(std::string& out, At at, std::string_view text, Seq upto) const;
  void tool_call(std::string& out, At at, const ToolCall& call) const;
  /// `done`, `error`, `cancelled` or `expired`, by the outcome's state.
  void terminal(std::string& out, At at, const Outcome& outcome) const;

 private:
  void head(std::string& out, At at, std::string_view type) const;

  std::string job_;  ///< `{"job":"…","seq":`
  WallTime accepted_at_;
};

/// One line of the log, as views into it.
struct EventLine {
  Seq seq = 0;
  std::string_view type;
  std::string_view json;
  std::string_view whole;  ///< with its LF
};

/// Takes the first line off `lines`. False when it is empty; a malformed line ends the walk.
bool next_event(std::string_view& lines, EventLine& event);
/// True when these are `count` whole lines, numbered from `expected` + 1 on.
bool numbered_after(Seq expected, std::uint32_t count, std::string_view lines);

/// True for what a model says beside its text: `reasoning` and `refusal`.
bool aside_event(std::string_view type);
/// True for `done`, `error`, `cancelled` and `expired`.
bool terminal_event(std::string_view type);
/// The event type that ends a job in this state; the state must be terminal.
std::string_view terminal_event_type(JobState state);

/// What a reader of the log holds: deltas joined, cut back by `rewind`, replaced by `snapshot`
/// (a rewind to before the last snapshot leaves nothing).
/// Needed to continue a job on another worker.
class TextFold {
 public:
  void take(const EventLine& event);
  const std::string& text() const { return text_; }
  Seq last() const { return last_; }

 private:
  std::string text_;
  std::vector<std::pair<Seq, std::size_t>>
      marks_;  ///< text length after each event that changed it
  Seq last_ = 0;
};

}  // namespace millrace
