#include "workers/llm/openai_model.h"

#include "shared/contract/trace.h"

namespace millrace {
namespace {

std::vector<std::string> headers_for(const OpenAiSettings& settings) {
  // `Expect:` switches the 100-continue question off, which would cost a round trip.
  std::vector<std::string> lines{"Content-Type: application/json", "Accept: text/event-stream",
                                 "Expect:", "User-Agent: millrace"};
  if (!settings.api_key.empty()) lines.push_back("Authorization: Bearer " + settings.api_key);
  return lines;
}

/// A client answers a call by its id; some servers give none.
void name_calls(std::vector<ToolCall>& calls, const Job& job) {
  for (std::size_t i = 0; i < calls.size(); ++i)
    if (calls[i].call_id.empty())
      calls[i].call_id = "call_" + job.id.str() + "_" + std::to_string(i);
}

/// A call is a span of its own in the trace of the request that made the job.
std::vector<std::string> headers_of(const Job& job, Random& random) {
  std::vector<std::string> lines{"X-Millrace-Job: " + job.id.str()};
  if (!job.traceparent.empty())
    lines.push_back("traceparent: " + child_traceparent(job.traceparent, random));
  return lines;
}

}  // namespace

OpenAiSettings openai_settings(const Config& config) {
  return {.base_url = config.llm_server_url,
          .api_key = config.llm_api_key,
          .defaults = {.model = config.model_id,
                       .max_tokens = config.default_max_tokens,
                       .temperature = config.default_temperature,
                       .prefill_body = config.llm_prefill_body},
          .connect_timeout = config.llm_connect_timeout,
          .timeouts = {.first_token = config.llm_first_token_timeout,
                       .idle = config.llm_idle_timeout,
                       .turn = config.llm_turn_timeout},
          .connections_kept = config.jobs_in_flight};
}

OpenAiModel::OpenAiModel(Clock& clock, Random& random, OpenAiSettings settings)
    : clock_(clock),
      random_(random),
      settings_(std::move(settings)),
      url_(completions_url(settings_.base_url)),
      headers_(headers_for(settings_)),
      client_(clock, {.connect_timeout = settings_.connect_timeout,
                      .connections_kept = settings_.connections_kept}) {}

Task<std::expected<ChatEnd, ChatFailure>> OpenAiModel::stream(const ChatTurn& turn,
                                                              TextSink& sink) {
  TurnReader reader(clock_, chunks_, sink, settings_.timeouts);
  HttpPost post{.url = url_,
                .headers = headers_,
                .own_headers = headers_of(turn.job, random_),
                .body = chat_request(turn, settings_.defaults)};
  HttpExchange exchange(client_, std::move(post), reader);
  while (!reader.answer()) {
    if (reader.paused()) {
      co_await sink.ready();
      reader.resumed();
      exchange.resume();
      continue;
    }
    const bool told = co_await reader.changed().wait_until(reader.deadline());
    if (!told && clock_.now() >= reader.deadline()) reader.time_out();
  }
  auto answer = std::move(*reader.answer());
  if (answer) name_calls(answer->tool_calls, turn.job);
  co_return answer;
}

}  // namespace millrace
