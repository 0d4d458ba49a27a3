#include "workers/llm/turn_reader.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "shared/runtime/limits.h"

namespace millrace {
namespace {

constexpr std::size_t error_body_bytes_max = 16 * 1024;
/// In one turn; a request may name 128 tools.
constexpr std::size_t tool_calls_max = 128;
/// After `[DONE]` the end of the response is only waited for so that the connection can be kept.
constexpr Duration done_wait = 200ms;

double seconds(Duration time) {
  return std::chrono::duration<double>(time).count();
}

bool retryable_status(int status) {
  return status == 408 || status == 429 || status >= 500;
}

/// The usage object on one line, or nothing where it is no object: it goes into our own events.
std::string clean_usage(std::string_view usage) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (usage.empty() || parser.parse(usage.data(), usage.size()).get(object)) return {};
  return simdjson::minify(object);
}

}  // namespace

TurnReader::TurnReader(Clock& clock, ChunkReader& chunks, TextSink& sink, ModelTimeouts timeouts)
    : clock_(clock),
      chunks_(chunks),
      sink_(sink),
      timeouts_(timeouts),
      events_(limits::model_line_bytes_max),
      changed_(clock),
      started_(clock.now()),
      last_event_(started_) {}

Flow TurnReader::on_body(int status, std::string_view bytes) noexcept {
  if (answer_) return Flow::stop;
  const bool stream = status >= 200 && status < 300;
  if (!any_event_ && body_.size() < error_body_bytes_max)
    body_.append(bytes.substr(0, error_body_bytes_max - body_.size()));
  if (!stream) return Flow::more;
  const auto state = events_.push(bytes, *this);
  if (state == SseParser::State::too_long)
    fail("upstream_garbage",
         fmt::format("the model sent a line of more than {} bytes", limits::model_line_bytes_max),
         true);
  if (answer_) return Flow::stop;
  return paused_ ? Flow::pause : Flow::more;
}

bool TurnReader::on_event(std::string_view data) {
  any_event_ = true;
  last_event_ = clock_.now();
  if (data == "[DONE]") {
    done_ = true;
    changed_.notify();
    return true;
  }
  ChatChunk chunk;
  if (!chunks_.read(data, chunk)) {
    fail("upstream_garbage", "the model sent a chunk that is not JSON", true);
    return false;
  }
  if (!chunk.error.empty()) {
    take_error(chunk.error);
    return false;
  }
  if (!chunk.model.empty() && end_.model != chunk.model) end_.model = chunk.model;
  if (!chunk.usage.empty()) end_.usage = chunk.usage;
  if (!chunk.reasoning.empty()) take_aside(Aside::reasoning, chunk.reasoning);
  if (!chunk.text.empty()) take_text(chunk);
  if (!chunk.refusal.empty()) take_aside(Aside::refusal, chunk.refusal);
  for (const auto& piece : chunk.tools) take_tool(piece);
  if (!chunk.finish_reason.empty()) end_.finish_reason = chunk.finish_reason;
  return !answer_.has_value();
}

void TurnReader::take_text(const ChatChunk& chunk) {
  std::string_view text = chunk.text;
  if (chunk.raw_text || joiner_.holds()) {
    const auto joined = joiner_.join(text);
    if (!joined.ok) return fail("upstream_garbage", "the model sent text that is not UTF-8", true);
    text = joined.text;
  }
  if (!within_bytes(text.size())) return;
  if (text.empty() || sink_.on_text(text)) return;
  paused_ = true;
  changed_.notify();
}

void TurnReader::take_aside(Aside kind, std::string_view piece) {
  if (answer_ || !within_bytes(piece.size())) return;
  end_.asides.of(kind) += piece;
  if (sink_.on_aside(kind, piece)) return;
  paused_ = true;
  changed_.notify();
}

bool TurnReader::within_bytes(std::size_t more) {
  text_bytes_ += more;
  if (text_bytes_ <= limits::model_text_bytes_max) return true;
  fail("upstream_endless",
       fmt::format("the model said more than {} bytes", limits::model_text_bytes_max), false);
  return false;
}

/// The call this piece belongs to; null when there are too many.
ToolCall* TurnReader::call_of(const ToolPiece& piece) {
  auto& calls = end_.tool_calls;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const bool same = piece.index ? call_indexes_[i] == piece.index
                                  : !piece.call_id.empty() && calls[i].call_id == piece.call_id;
    if (same) return &calls[i];
  }
  if (!piece.index && piece.call_id.empty() && !calls.empty()) return &calls.back();
  if (calls.size() == tool_calls_max) return nullptr;
  call_indexes_.push_back(piece.index);
  return &calls.emplace_back();
}

void TurnReader::take_tool(const ToolPiece& piece) {
  ToolCall* call = call_of(piece);
  if (!call)
    return fail("upstream_endless",
                fmt::format("the model called more than {} tools", tool_calls_max), false);
  if (!within_bytes(piece.call_id.size() + piece.name.size() + piece.arguments.size())) return;
  // Some servers repeat both in every piece.
  if (call->call_id.empty()) call->call_id = piece.call_id;
  if (call->name.empty()) call->name = piece.name;
  call->arguments += piece.arguments;
}

void TurnReader::take_error(std::string_view error) {
  const UpstreamError upstream = read_upstream_error(error);
  const bool permanent = upstream.status >= 400 && !retryable_status(upstream.status);
  fail("upstream_error", "the model's server said: " + upstream.message, !permanent);
}

void TurnReader::resumed() {
  paused_ = false;
  last_event_ = clock_.now();
}

Instant TurnReader::deadline() const {
  const Instant all = started_ + timeouts_.turn;
  if (done_) return std::min(all, last_event_ + done_wait);
  if (!any_event_) return std::min(all, last_event_ + timeouts_.first_token);
  return std::min(all, last_event_ + timeouts_.idle);
}

void TurnReader::time_out() {
  if (clock_.now() >= started_ + timeouts_.turn)
    return fail("upstream_endless",
                fmt::format("the turn took more than {} s", seconds(timeouts_.turn)), false);
  if (!any_event_)
    return fail("upstream_timeout",
                fmt::format("no token within {} s", seconds(timeouts_.first_token)), true);
  succeed_or("upstream_timeout",
             fmt::format("the stream stood still for {} s", seconds(timeouts_.idle)));
}

void TurnReader::on_end(int status, HttpEnd end) noexcept {
  if (answer_) return;
  const bool stream = status >= 200 && status < 300;
  if (end.how == HttpHow::unreachable) {
    fail("upstream_unavailable", "the model's server cannot be reached: " + end.detail, true);
  } else if (end.how == HttpHow::refused) {
    fail("upstream_refused", end.detail, false);
  } else if (status > 0 && !stream) {
    fail_by_status(status, end.retry_after);
  } else if (end.how == HttpHow::malformed) {
    fail("upstream_garbage", "the model's server does not speak HTTP: " + end.detail, true);
  } else if (end.how == HttpHow::cut) {
    succeed_or("upstream_cut", "the stream was cut: " + end.detail);
  } else {
    events_.end(*this);
    if (answer_) return;
    if (!any_event_ && !body_.empty()) {
      fail("upstream_garbage",
           "the model's server answered without a stream: " + read_upstream_error(body_).message,
           true);
    } else {
      succeed_or("upstream_cut", "the stream ended without a finish reason or [DONE]");
    }
  }
}

/// A turn whose end was said is whole, however its connection ended.
void TurnReader::succeed_or(std::string code, std::string message) {
  if (answer_) return;
  if (!said_the_end()) return fail(std::move(code), std::move(message), true);
  if (joiner_.holds())
    return fail("upstream_garbage", "the model's text ended inside a character", true);
  if (std::ranges::any_of(end_.tool_calls, &std::string::empty, &ToolCall::name))
    return fail("upstream_garbage", "the model called a tool without a name", true);
  if (end_.finish_reason.empty())
    end_.finish_reason = end_.tool_calls.empty() ? "stop" : "tool_calls";
  end_.usage = clean_usage(end_.usage);
  answer_ = std::move(end_);
  changed_.notify();
}

void TurnReader::fail_by_status(int status, std::optional<Duration> retry_after) {
  const UpstreamError upstream = read_upstream_error(body_);
  const char* code = "upstream_refused";
  if (status == 401 || status == 403) {
    code = "upstream_denied";  // to this deployment, not to whoever asked
  } else if (status == 404) {
    code = "upstream_not_found";
  } else if (status == 429) {
    code = "upstream_busy";
  } else if (retryable_status(status)) {
    code = "upstream_unavailable";
  }
  std::string message = fmt::format("the model's server answered {}", status);
  if (!upstream.message.empty()) message += ": " + upstream.message;
  fail(code, std::move(message), retryable_status(status));
  answer_->error().retry_after = retry_after;
}

void TurnReader::fail(std::string code, std::string message, bool retryable) {
  if (answer_) return;
  answer_ = std::unexpected(ChatFailure{.code = std::move(code),
                                        .message = std::move(message),
                                        .retryable = retryable,
                                        .retry_after = {}});
  changed_.notify();
}

}  // namespace millrace
