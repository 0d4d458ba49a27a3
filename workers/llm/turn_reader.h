#pragma once
#include <optional>
#include <string>

#include "shared/curl/http_client.h"
#include "shared/runtime/signal.h"
#include "workers/llm/chat_model.h"
#include "workers/llm/chunk.h"
#include "workers/llm/sse_parser.h"
#include "workers/llm/utf8_joiner.h"

namespace millrace {

/// How long a model may keep one waiting.
struct ModelTimeouts {
  Duration first_token;
  Duration idle;  ///< between two chunks
  Duration turn;  ///< in all
};

/// Reads the response to one turn: bytes to chunks to text, and in the end how the turn ended.
/// Makes no I/O: it is told what comes, and says what it waits for. Time in which its own sink
/// had no room is nobody's fault and not counted as idle.
class TurnReader final : public ResponseTaker, public SseTaker {
 public:
  using Answer = std::expected<ChatEnd, ChatFailure>;

  TurnReader(Clock& clock, ChunkReader& chunks, TextSink& sink, ModelTimeouts timeouts);

  Flow on_body(int status, std::string_view bytes) noexcept override;
  void on_end(int status, HttpEnd end) noexcept override;
  bool on_event(std::string_view data) override;

  /// Set once the turn has ended.
  std::optional<Answer>& answer() { return answer_; }
  bool paused() const { return paused_; }
  void resumed();
  /// When the upstream will have been too slow; `time_out` then says how.
  Instant deadline() const;
  void time_out();
  /// The reader has paused or ended.
  Signal& changed() { return changed_; }

 private:
  void fail(std::string code, std::string message, bool retryable);
  void fail_by_status(int status, std::optional<Duration> retry_after);
  void take_text(const ChatChunk& chunk);
  void take_aside(Aside kind, std::string_view piece);
  void take_tool(const ToolPiece& piece);
  ToolCall* call_of(const ToolPiece& piece);
  bool within_bytes(std::size_t more);
  void take_error(std::string_view error);
  void succeed_or(std::string code, std::string message);
  bool said_the_end() const { return done_ || !end_.finish_reason.empty(); }

  Clock& clock_;
  ChunkReader& chunks_;
  TextSink& sink_;
  ModelTimeouts timeouts_;
  SseParser events_;
  Utf8Joiner joiner_;
  Signal changed_;
  const Instant started_;
  Instant last_event_;
  bool any_event_ = false;
  bool done_ = false;  ///< `[DONE]` has come
  bool paused_ = false;
  std::size_t text_bytes_ = 0;  ///< of tool calls and asides too
  std::string body_;            ///< what is no stream: an error's body, its beginning
  ChatEnd end_;
  std::vector<std::optional<std::uint64_t>> call_indexes_;  ///< of `end_.tool_calls`
  std::optional<Answer> answer_;
};

}  // namespace millrace
