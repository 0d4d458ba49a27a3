#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>

#include "shared/http/router.h"
#include "shared/runtime/clock.h"
#include "workers/llm/simulator_answer.h"
#include "workers/llm/simulator_stats.h"

namespace millrace {

/// An OpenAI-compatible server without a model: the name of the model says how it answers and
/// what goes wrong (simulator_model.h). Belongs to one loop, and outlives the server on it.
///
///     POST /v1/chat/completions   streamed or not
///     GET  /v1/models
///     GET  /sim/stats             counts, in all and by the job named in `X-Millrace-Job`
///     POST /sim/reset             forgets the counts, and which requests a 429xK has refused
class Simulator {
 public:
  explicit Simulator(Clock& clock) : clock_(clock) {}
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  void add_to(http::Router& router);

 private:
  /// One answer on its way.
  struct Run {
    SimAnswer answer;
    SimWriter writer;
    Instant began;
    std::string job;
  };
  enum class Next : std::uint8_t { go_on, stop };

  Task<http::Response> complete(http::Request& request);
  Task<http::Response> models();
  Task<http::Response> stats();
  Task<http::Response> reset();

  bool refuses(const SimModel& model, std::uint64_t whose);
  Task<> stream(Run run, http::StreamWriter& out);
  Task<> answer_whole(Run run, http::StreamWriter& out);
  Task<Next> send_tokens(const Run& run, http::StreamWriter& out, std::string& chunk);
  Task<Next> strike(const Run& run, http::StreamWriter& out, std::string& chunk);
  Task<Next> send(const Run& run, http::StreamWriter& out, std::string& chunk,
                  std::uint32_t tokens);
  Task<Next> wait_until(const Run& run, http::StreamWriter& out, Instant when);
  std::uint32_t append_due(const Run& run, std::string& chunk, std::uint32_t number) const;

  Clock& clock_;
  SimStats stats_;
  std::uint64_t next_id_ = 1;
  /// How often each prompt or job has been refused.
  std::unordered_map<std::uint64_t, std::uint32_t> refusals_;
};

}  // namespace millrace
