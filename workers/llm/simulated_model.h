#pragma once
#include "workers/llm/chat_model.h"

namespace millrace {

/// A model of which everybody is to know that it only pretends: each answer names it
/// `simulator/<model asked for>`. The model outlives it.
class SimulatedModel final : public ChatModel {
 public:
  explicit SimulatedModel(ChatModel& model) : model_(model) {}

  Task<std::expected<ChatEnd, ChatFailure>> stream(const ChatTurn& turn, TextSink& sink) override {
    auto end = co_await model_.stream(turn, sink);
    if (end) end->model.insert(0, "simulator/");
    co_return end;
  }

 private:
  ChatModel& model_;
};

}  // namespace millrace
