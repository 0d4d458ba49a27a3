#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "producer/openai/fold.h"
#include "producer/openai/response_object.h"

namespace millrace::openai {

/// A job's events as those of a streamed response, each with its `sequence_number`, which is the
/// `id` of its frame too.
///
/// Numbers begin at 0 and rise by 1. After a loss (`gap`) they go on behind every number that can
/// have been given, and a reader whose place was lost gets the last event alone, which has the
/// whole response. So does one who comes back to a log that was shortened, or has gone and is made
/// again from what the Store keeps.
class ResponseFold final : public Fold {
 public:
  /// Only events behind `starting_after` are told; without it, all.
  explicit ResponseFold(ResponseHead head, std::optional<Seq> starting_after = {});

  void take(std::string_view type, Seq seq, std::string_view json, std::string& out) override;
  void fail(Problem problem, std::string& out) override;
  bool over() const override { return over_; }
  bool job_ended() const override { return job_ended_; }

 private:
  void begin(std::string& out);
  void started(std::string& out);
  void delta(std::string& out, Seq seq, std::string_view json);
  void say(std::string& out, std::string_view escaped, Seq seq);
  void rewind(std::string& out, std::string_view json);
  void gap(std::string_view json);
  void snapshot(std::string& out, Seq seq, std::string_view json);
  void replace(std::string& out, std::string_view escaped, Seq seq);
  void tool_call(std::string& out, std::string_view json);
  void done(std::string& out, std::string_view json);
  void end_without_answer(std::string& out, std::string_view type, std::string_view json);

  void open(std::string& out);
  void close(std::string& out, std::string_view status, bool valid);
  void lose_numbers_below(Seq next);
  void jump();

  bool told(Seq number) const { return !only_end_ && (!after_ || number > *after_); }
  /// The next event: `members` stand behind its type and number.
  void tell(std::string& out, std::string_view type, std::string_view members);
  void tell_response(std::string& out, std::string_view type, const ResponseState& state);
  std::string place_of_item() const;

  ResponseHead head_;
  std::optional<Seq> after_;
  Seq next_ = 0;                ///< number of the next event
  std::optional<Seq> jump_to_;  ///< that of the next one that is not said again
  std::string item_;            ///< name of the open message; empty: none is open
  std::string said_;            ///< its text, as it stands inside a JSON string
  std::vector<std::pair<Seq, std::size_t>> marks_;  ///< its length after each event of the log
  std::uint64_t items_ = 0;                         ///< opened so far
  std::uint64_t calls_ = 0;
  std::string output_;  ///< items that are closed and stand
  bool begun_ = false;
  bool started_ = false;
  bool lost_ = false;  ///< events are missing: only the whole text tells whether text is
  bool only_end_ = false;
  bool end_again_ = false;  ///< the log has gone: its last event is for everybody
  bool over_ = false;
  bool job_ended_ = false;
};

}  // namespace millrace::openai
