#pragma once
#include <optional>
#include <string>
#include <vector>

#include "producer/openai/fold.h"
#include "producer/openai/response_object.h"

namespace millrace::openai {

/// The item that is being said, and its last part.
struct OpenItem {
  ItemKind kind = ItemKind::message;
  std::string name;
  std::uint64_t index = 0;  ///< among all that were opened
  std::string parts;        ///< those before the last one, with commas behind them
  std::uint64_t part_index = 0;
  PartKind part = PartKind::text;
  std::string said;  ///< of the last part, as it stands inside a JSON string
};
/// An item that is a part of the answer unless a rewind takes it back.
struct ClosedItem {
  Seq last = 0;  ///< the log's last event that is in it
  std::string json;
  bool message = false;
};
struct TextMark {
  Seq seq = 0;
  std::size_t text = 0;  ///< bytes of the answer's text once it had been taken
};

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
  void say(std::string& out, PartKind part, std::string_view escaped, Seq seq);
  void delta(std::string& out, Seq seq, std::string_view json);
  void aside(std::string& out, PartKind part, Seq seq, std::string_view json);
  void rewind(std::string& out, std::string_view json);
  void gap(std::string_view json);
  void snapshot(std::string& out, Seq seq, std::string_view json);
  void replace(std::string& out, std::string_view escaped, Seq seq);
  void take_back(std::string& out, Seq to);
  void tool_call(std::string& out, std::string_view json);
  void done(std::string& out, std::string_view json);
  void end_without_answer(std::string& out, std::string_view type, std::string_view json);

  void open_item(std::string& out, ItemKind kind);
  void open_part(std::string& out, PartKind part);
  void close_part(std::string& out);
  void close(std::string& out, std::string_view status, bool valid);
  std::string item_json(std::string_view status, std::string_view parts) const;
  std::string place_of_part() const;
  std::string output() const;

  void lose_numbers_below(Seq next);
  void jump();
  bool told(Seq number) const { return !only_end_ && (!after_ || number > *after_); }
  /// The next event: `members` stand behind its type and number.
  void tell(std::string& out, std::string_view type, std::string_view members);
  void tell_response(std::string& out, std::string_view type, const ResponseState& state);

  ResponseHead head_;
  std::optional<Seq> after_;
  Seq next_ = 0;                ///< number of the next event
  std::optional<Seq> jump_to_;  ///< that of the next one that is not said again
  std::optional<OpenItem> open_;
  std::string text_;  ///< the answer's, as the client holds it
  std::vector<TextMark> marks_;
  std::vector<ClosedItem> closed_;
  std::uint64_t items_ = 0;  ///< opened so far
  std::uint64_t calls_ = 0;
  bool reasoned_ = false;  ///< what was reasoned has been told
  bool begun_ = false;
  bool started_ = false;
  bool lost_ = false;  ///< events are missing: only the whole text tells whether text is
  bool only_end_ = false;
  bool end_again_ = false;  ///< the log has gone: its last event is for everybody
  bool over_ = false;
  bool job_ended_ = false;
};

}  // namespace millrace::openai
