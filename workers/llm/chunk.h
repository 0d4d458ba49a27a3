#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

/// A piece of a call to a tool: a call's first piece has its id and name, the arguments come in any
/// number of pieces.
struct ToolPiece {
  std::optional<std::uint64_t> index;  ///< which call; some servers leave it out
  std::string_view call_id;
  std::string_view name;
  std::string_view arguments;
};

/// What one chunk of an OpenAI-compatible stream says. The views are valid until the next read.
struct ChatChunk {
  std::string_view text;       ///< `choices[0].delta.content`
  std::string_view reasoning;  ///< `delta.reasoning_content`, or `reasoning` as some call it
  std::string_view refusal;    ///< `delta.refusal`
  bool raw_text = false;       ///< the text may hold half a character: join before use
  std::span<const ToolPiece> tools;
  std::string_view finish_reason;  ///< empty while there is none
  std::string_view model;
  std::string_view usage;  ///< a JSON object, as it stands; empty: none
  std::string_view error;  ///< the error object or string, as JSON; empty: none
};

/// Reads the chunks of one stream after another; keeps its buffers.
class ChunkReader {
 public:
  ChunkReader();
  ~ChunkReader();
  /// False when it is no JSON object of this kind.
  bool read(std::string_view json, ChatChunk& chunk);

 private:
  bool walk(ChatChunk& chunk);
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

/// What an upstream says went wrong: `{"error":{"message","type","code"}}`, `{"error":"…"}`,
/// `{"message"}`, `{"detail"}` or any text. Valid UTF-8 without control characters, cut.
struct UpstreamError {
  std::string message;
  std::string code;  ///< `code` or `type`, where there is one
  int status = 0;    ///< a numeric `code` or `status`
};
UpstreamError read_upstream_error(std::string_view body);

}  // namespace millrace
