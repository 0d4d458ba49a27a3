#pragma once
#include <optional>

#include "ops/roles/loop.h"
#include "shared/http/server.h"
#include "workers/llm/openai_model.h"
#include "workers/llm/simulated_model.h"
#include "workers/llm/simulator.h"

namespace millrace {

/// The model that a loop asks: the server of the configuration or, where none is named, a
/// simulator behind a loopback port of this loop's own.
class LoopModel {
 public:
  LoopModel(Loop& loop, const Config& config);

  ChatModel& model();
  /// Until cancelled; must have ended before this goes.
  Task<> run();

 private:
  struct Own {
    explicit Own(Loop& loop);
    Simulator simulator;
    http::Router router;
    http::Server server;
  };

  std::optional<Own> own_;
  OpenAiModel model_;
  SimulatedModel simulated_;
};

}  // namespace millrace
