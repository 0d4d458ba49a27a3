#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "workers/llm/simulator_model.h"
#include "workers/llm/simulator_request.h"
#include "workers/llm/simulator_text.h"

namespace millrace {

/// What one request is going to be told: which tokens, when, and how it ends. Decided before the
/// first byte is sent; no I/O.
class SimAnswer {
 public:
  explicit SimAnswer(const SimRequest& request);

  const SimModel& model() const { return model_; }
  std::uint32_t first() const { return place_.tokens + 1; }  ///< number of the first token to send
  std::uint32_t last() const { return last_; }  ///< of the last one; below `first`: none
  /// Tokens this request is good for.
  std::uint32_t asked() const { return last_ + 1 - first(); }
  std::string_view finish_reason() const;

  /// When token `number` is due, counted from the request: absolute, so lateness never adds up.
  Duration due(std::uint32_t number) const;
  /// True where the answer's tokens are pieces of calls to tools, not words.
  bool calls_tools() const { return !pieces_.empty(); }
  const std::vector<SimToolPiece>& pieces() const { return pieces_; }
  const SimTool& tool(std::size_t call) const { return tools_[call % tools_.size()]; }
  /// Appends the text of token `number`, or of what the prefix left of it.
  void append_token(std::string& out, std::uint32_t number, Instant now) const;
  /// The member of a message that token `number` belongs to.
  std::string_view member_of(std::uint32_t number) const;
  /// True when the fault of this model strikes right after token `number` was sent.
  bool strikes_after(std::uint32_t number) const;

 private:
  std::string_view token(std::uint32_t number) const;
  void stop_before(const std::vector<std::string>& stops);

  SimModel model_;
  SimText text_;
  const std::vector<std::string>* fixed_ = nullptr;  ///< the default answer, for other names
  SimPlace place_;
  std::vector<SimTool> tools_;
  std::vector<SimToolPiece> pieces_;
  std::uint32_t last_ = 0;
  bool cut_by_limit_ = false;
};

/// An answer's tokens, joined, by the member of the message.
struct SimSaid {
  std::string content;
  std::string reasoning;
  std::string refusal;

  std::string& of(std::string_view member) {
    if (member == "content") return content;
    return member == "refusal" ? refusal : reasoning;
  }
};

/// Writes one answer in OpenAI's shapes.
class SimWriter {
 public:
  SimWriter(std::string_view id, std::int64_t created_s, const SimRequest& request);

  void role(std::string& out) const;
  /// `member`: of the message, as `member_of` says.
  void token(std::string& out, std::string_view member, std::string_view text) const;
  /// A piece of a call; `tool` is the one that is called.
  void tool(std::string& out, const SimToolPiece& piece, const SimTool& tool) const;
  void end(std::string& out, std::string_view finish_reason) const;
  /// The last chunk, with no choices, where it was asked for.
  void usage(std::string& out, std::uint32_t completion_tokens) const;
  /// The body of an answer that is not streamed.
  std::string whole(const SimSaid& said, const SimAnswer& answer) const;

 private:
  std::string call_id(std::size_t call) const;
  void append_calls(std::string& out, const SimAnswer& answer) const;
  void append_usage(std::string& out, std::uint32_t completion_tokens) const;

  std::string id_;
  std::string model_json_;
  std::int64_t created_s_;
  std::uint32_t prompt_tokens_;
  std::string head_;  ///< of every chunk, up to `"choices":[`
  std::string tail_;  ///< of every chunk, after the choices
  bool with_usage_;
};

}  // namespace millrace
