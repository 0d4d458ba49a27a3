#pragma once
#include <string>

#include "producer/relay/dialect_stream.h"

namespace millrace::conversations {

/// The stream of `POST /api/chat/stream`, one block an event, the event's number as its id:
///
///   {"type":"start","session_id","message_id"}   first
///   {"type":"delta","content"}                   append it
///   {"type":"status","message"}                  for people; with `"restarted":true` what was told
///                                                is void, and the answer is told from its
///                                                beginning
///   {"type":"done","content","session_id","message_id","token_usage","finish_reason"}
///                                                last: the whole answer
///   {"type":"error","code","message"}            last: why there is none
///
/// Other events keep their type and their own members. Each has `elapsed`, the seconds since the
/// message was accepted.
class ReplyFold final : public relay::Dialect {
 public:
  /// `resumed`: the client has told text of before, which this fold cannot see once the log has
  /// been shortened.
  ReplyFold(std::string session, const JobId& id, bool resumed)
      : session_(std::move(session)), id_(id), resumed_(resumed) {}

  void take(const relay::Frame& frame, std::string& out) override;
  bool over() const override { return over_; }

 private:
  void delta(const relay::Frame& frame, std::string& out);
  void rewind(const relay::Frame& frame, std::string& out);
  void snapshot(const relay::Frame& frame, std::string& out);
  void retell(const relay::Frame& frame, std::string_view told, std::string& out);
  void end(const relay::Frame& frame, std::string& out);

  std::string session_;
  JobId id_;
  bool resumed_;
  TextFold held_;  ///< by the client, unless `lost_`
  bool started_ = false;
  bool lost_ = false;  ///< events are missing: what follows may not fit what is held
  bool over_ = false;
};

}  // namespace millrace::conversations
