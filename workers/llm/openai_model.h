#pragma once
#include <string>

#include "shared/curl/http_client.h"
#include "shared/runtime/config.h"
#include "workers/llm/chunk.h"
#include "workers/llm/request_body.h"
#include "workers/llm/turn_reader.h"

namespace millrace {

struct OpenAiSettings {
  std::string base_url;  ///< with or without `/v1`
  std::string api_key;   ///< empty: no Authorization
  ModelDefaults defaults;
  Duration connect_timeout;
  ModelTimeouts timeouts;
  std::size_t connections_kept;  ///< as many as turns at once on this loop
};
/// What the configuration says of it.
OpenAiSettings openai_settings(const Config& config);

/// A server that speaks OpenAI's `POST /v1/chat/completions`, streamed. One object a loop.
class OpenAiModel final : public ChatModel {
 public:
  OpenAiModel(Clock& clock, Random& random, OpenAiSettings settings);

  Task<std::expected<ChatEnd, ChatFailure>> stream(const ChatTurn& turn, TextSink& sink) override;

 private:
  Clock& clock_;
  Random& random_;  ///< of spans
  const OpenAiSettings settings_;
  const std::string url_;
  HeaderLines headers_;
  HttpClient client_;
  ChunkReader chunks_;  ///< nothing of a chunk is kept beyond the call that reads it
};

}  // namespace millrace
