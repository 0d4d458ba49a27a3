#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "shared/runtime/ids.h"
#include "shared/runtime/time.h"

namespace millrace {

enum class Priority : std::uint8_t { interactive, bulk };

/// An input that is too large for the envelope: where the ObjectStore has it, under the job's
/// tenant, and what it must be.
struct InputRef {
  std::string key;
  std::uint64_t size = 0;
  std::string sha256;  ///< lower-case hex
  bool operator==(const InputRef&) const = default;
};

/// The job's input is a message to its session: what was said there before goes to the model with
/// it. Read when the job begins, so that it holds the answers of all turns before.
struct SessionContext {
  std::uint32_t messages = 0;  ///< that go to the model, the input among them; at least 1
  bool summarise = false;      ///< older ones go too, as one summary
  bool operator==(const SessionContext&) const = default;
};

/// One job as it was accepted: the envelope's fields, ready to use. It never changes; what
/// happens to it is in the event log and the Store.
struct Job {
  JobId id;
  std::string kind = "chat";
  std::string tenant = "default";
  std::string session;  ///< empty: none, ordered by nothing
  std::string input;    ///< JSON as validated: a string, or a list of messages
  /// In the place of `input`, which whoever runs the job fetches.
  std::optional<InputRef> input_ref;
  std::optional<SessionContext> context;
  std::string model;  ///< empty: the worker's default
  std::optional<std::uint32_t> max_tokens;
  bool max_completion_tokens = false;  ///< `max_tokens` goes on by this, its newer name
  std::optional<double> temperature;
  /// What else the request to the model's server is to hold, as it stands (`top_p`, `tools` …): a
  /// JSON object on one line without the members above, or empty.
  std::string params;
  /// What is not said here is for the model's server to choose, not for the worker's defaults.
  bool server_defaults = false;
  Priority priority = Priority::interactive;
  WallTime created_at{};
  std::optional<WallTime> not_before;
  WallTime deadline{};
  /// False: what it was asked and what it answered is erased soon after its end.
  bool kept = true;
  std::string on_busy = "enqueue";
  std::string metadata;  ///< a JSON object, or empty
  /// What the surface that took the job shows of the request again: a JSON object on one line that
  /// nobody else reads, or empty.
  std::string request;
  std::string traceparent;  ///< as trace.h reads it, or empty
  /// The UTF-8 JSON this was read from or written to, with fields this version does not know;
  /// it is what is stored and what is sent again.
  std::string envelope;

  /// What orders jobs: `tenant/session`, or the job id where there is no session.
  std::string key() const;
};

}  // namespace millrace
