#pragma once
#include <cstddef>
#include <string>

#include "producer/relay/dialect_stream.h"

namespace millrace::conversations {

/// The stream of `POST /api/chat` with a `question`, whose clients know these lines:
///
///   {"type":"status","message"}          for people, in Korean: tools are chosen, results are put
///                                        together, the answer is made again
///   {"type":"tool_start","tool",…}       a tool is called
///   {"type":"tool_end","tool","result"}  and has answered
///   {"type":"t1_result","data"}          right behind it, of predict_quality; `t2_result` of
///                                        analyze_feature_importance, `t3_result` of
///                                        search_knowledge_base
///   {"type":"ai_response","data":{"answer","session_id","message_id","token_usage"}}
///   {"type":"done"}                      the end, after an answer
///   {"type":"error","message","code"}    the end, without one
///
/// Other events but those of the text keep their type and members (`table`, `chart`, `progress`).
/// Each line has `elapsed`. An event's id is a block of its own behind its lines: these clients
/// take a block for one line.
class QuestionFold final : public relay::Dialect {
 public:
  QuestionFold(std::string session, const JobId& id) : session_(std::move(session)), id_(id) {}

  void take(const relay::Frame& frame, std::string& out) override;
  bool over() const override { return over_; }

 private:
  void tell(const relay::Frame& frame, std::string& out);
  void status(const relay::Frame& frame, std::string_view message, std::string& out);
  void tool_end(const relay::Frame& frame, std::string& out);
  void end(const relay::Frame& frame, std::string& out);

  std::string session_;
  JobId id_;
  std::size_t tools_running_ = 0;
  bool started_ = false;
  bool spoken_ = false;  ///< some of the answer has been said
  bool over_ = false;
};

}  // namespace millrace::conversations
