#include "producer/conversations/reply_fold.h"

#include "producer/conversations/answer_end.h"
#include "producer/conversations/data_line.h"
#include "shared/sessions.h"

namespace millrace::conversations {
namespace {

EventLine line_of(const relay::Frame& frame) {
  return {.seq = frame.seq.value_or(0), .type = frame.type, .json = frame.data, .whole = {}};
}

}  // namespace

void ReplyFold::take(const relay::Frame& frame, std::string& out) {
  if (over_) return;
  if (!started_) {
    started_ = true;
    DataLine start(out, "start");
    start.text("session_id", session_).text("message_id", answer_id(id_));
    start.end(frame.data, frame.type == "queued" ? frame.seq : std::nullopt);
  }
  if (frame.type == "queued" || frame.type == "started") return;
  if (frame.type == "delta") return delta(frame, out);
  if (frame.type == "rewind") return rewind(frame, out);
  if (frame.type == "snapshot") return snapshot(frame, out);
  if (frame.type == "gap") {
    lost_ = true;
    return;
  }
  if (terminal_event(frame.type)) return end(frame, out);
  DataLine(out, frame.type).members_of(frame.data).end(frame.data, frame.seq);
}

void ReplyFold::delta(const relay::Frame& frame, std::string& out) {
  if (lost_) return;
  held_.take(line_of(frame));
  DataLine(out, "delta").escaped("content", delta_text(frame.data)).end(frame.data, frame.seq);
}

void ReplyFold::rewind(const relay::Frame& frame, std::string& out) {
  const std::string told = held_.text();
  held_.take(line_of(frame));
  if (held_.text().empty()) lost_ = false;
  if (!lost_ && held_.text() != told) retell(frame, told, out);
}

void ReplyFold::snapshot(const relay::Frame& frame, std::string& out) {
  const std::string told = held_.text();
  held_.take(line_of(frame));
  lost_ = false;
  retell(frame, told, out);
}

/// Brings a client that was told one text to the text that is held now.
void ReplyFold::retell(const relay::Frame& frame, std::string_view told, std::string& out) {
  const std::string& text = held_.text();
  const bool goes_on = text.starts_with(told) && !(resumed_ && told.empty());
  const auto more = goes_on ? std::string_view(text).substr(told.size()) : std::string_view(text);
  if (!goes_on) {
    DataLine status(out, "status");
    status.text("message", "The answer is told again from its beginning").json("restarted", "true");
    status.end(frame.data, more.empty() ? frame.seq : std::nullopt);
  }
  if (!more.empty()) DataLine(out, "delta").text("content", more).end(frame.data, frame.seq);
}

void ReplyFold::end(const relay::Frame& frame, std::string& out) {
  over_ = true;
  const AnswerEnd end = answer_end(frame);
  if (!end.answered) {
    DataLine error(out, "error");
    error.text("code", end.code).text("message", end.words).end(frame.data, frame.seq);
    return;
  }
  DataLine done(out, "done");
  done.text("content", end.content).text("session_id", session_);
  done.text("message_id", answer_id(id_)).json("token_usage", end.token_usage);
  done.text("finish_reason", end.finish_reason).end(frame.data, frame.seq);
}

}  // namespace millrace::conversations
