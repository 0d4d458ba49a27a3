#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "producer/openai/fold.h"

namespace millrace::openai {

/// What every chunk of one answer repeats.
struct ChatHead {
  JobId id;
  WallTime created_at{};
  std::string model;  ///< as it was asked for: only the end of a log knows who answered
  bool include_usage = false;
};

/// A job's events as the chunks of a streamed chat completion. Pure: the same events give the same
/// bytes, wherever and whenever they are read from the beginning of the log.
///
/// A client of this API can take nothing back: where the log says another text than the one that
/// was told (`rewind`, or what follows a loss), the stream ends with the error `stream_restarted`
/// and without `[DONE]`.
class ChatFold final : public Fold {
 public:
  explicit ChatFold(const ChatHead& head);

  void take(std::string_view type, Seq seq, std::string_view json, std::string& out) override;
  void fail(Problem problem, std::string& out) override;
  bool over() const override { return over_; }
  bool job_ended() const override { return job_ended_; }

  /// A chunk has been told: the answer can only go on as a stream.
  bool spoken() const { return spoken_; }
  /// Why it ended without an answer.
  const std::optional<Problem>& failure() const { return failure_; }

 private:
  /// In every chunk from here on: the one asked for, then the one that answered.
  void name_model(std::string_view model);
  void speak(std::string& out, std::string_view content);
  void chunk(std::string& out, std::string_view delta, std::string_view finish_reason);
  void content(std::string& out, std::string_view escaped);
  void delta(std::string& out, Seq seq, std::string_view json);
  void aside(std::string& out, Seq seq, std::string_view name, std::string_view json);
  void rewind(std::string& out, std::string_view json);
  void replace(std::string& out, Seq seq, std::string_view escaped);
  void tool_call(std::string& out, std::string_view json);
  void done(std::string& out, std::string_view json);

  std::string head_;  ///< of every chunk, up to its choices
  std::size_t before_model_ = 0;
  std::string tail_;     ///< of every chunk with choices
  std::string said_;     ///< the text the client holds, as it stands inside a JSON string
  Seq last_said_ = 0;    ///< the last event of which the client holds something
  bool asides_ = false;  ///< something beside the text has been told
  std::size_t calls_ = 0;
  bool include_usage_;
  bool lost_ = false;  ///< events are missing: only the whole text tells whether text is
  bool spoken_ = false;
  bool over_ = false;
  bool job_ended_ = false;
  std::optional<Problem> failure_;
};

}  // namespace millrace::openai
