#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

/// What one chunk of an OpenAI-compatible stream says. The views are valid until the next read.
struct ChatChunk {
  std::string_view text;           ///< `choices[0].delta.content`
  bool raw_text = false;           ///< the text may hold half a character: join before use
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
