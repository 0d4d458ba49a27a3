#include "workers/pool/summary.h"

#include <simdjson.h>

#include <ranges>

#include "shared/runtime/json_text.h"
#include "shared/runtime/log.h"
#include "workers/pool/llm_turn.h"

namespace millrace {
namespace {

/// How long a run is put aside whose summary the Store could not keep.
constexpr Duration store_wait = 1s;
constexpr std::uint32_t tokens_max = 512;
/// Of one message, and of all that one summary is made of; what is older is left out.
constexpr std::size_t message_bytes_max = 4 * 1024;
constexpr std::size_t bytes_max = 64 * 1024;
/// Of a summary; what a model says beyond is left out.
constexpr std::size_t text_bytes_max = 16 * 1024;

constexpr std::string_view kind = "summary";
/// Behind the turn, which was there first and has 0.
constexpr std::uint32_t step_index = 1;

constexpr std::string_view instructions =
    "Summarise the conversation below for whoever goes on with it: facts, names, numbers, wishes "
    "and what is still open, in the conversation's own language, in at most 200 words. Write the "
    "summary alone.";

/// What the model is asked to make one summary of.
std::string transcript(const Past& past) {
  std::vector<std::string> newest_first;
  std::size_t bytes = 0;
  for (const auto& message : past.older | std::views::reverse) {
    std::string line = message.role + ": ";
    line += cut_utf8(message.content, message_bytes_max);
    bytes += line.size();
    if (bytes > bytes_max) break;
    newest_first.push_back(std::move(line));
  }
  std::string text;
  if (!past.summary.empty()) text = "Summary so far:\n" + past.summary + "\n\n";
  text += "Conversation:\n";
  for (const auto& line : newest_first | std::views::reverse) text.append(line).append("\n");
  return text;
}

/// The question of the summary, asked in the name of the job.
Job summary_job(const Job& job, std::string_view text) {
  Job asked = job;
  asked.context.reset();
  asked.params.clear();
  asked.max_tokens = tokens_max;
  asked.temperature.reset();
  asked.input = R"([{"role":"system","content":)";
  append_json_string(asked.input, instructions);
  asked.input += R"(},{"role":"user","content":)";
  append_json_string(asked.input, text);
  asked.input += "}]";
  return asked;
}

class Collected final : public TextSink {
 public:
  bool on_text(std::string_view piece) override {
    const std::size_t room = text_bytes_max - text.size();
    text += cut_utf8(piece, room);
    return true;
  }
  /// What is thought or refused beside it is no summary.
  bool on_aside(Aside, std::string_view) override { return true; }
  Task<> ready() override { co_return; }
  std::string text;
};

using Answer = std::expected<ChatEnd, ChatFailure>;

Task<> ask(ChatModel& model, const Job& job, TextSink& sink, std::optional<Answer>& answer) {
  const ChatTurn turn{.job = job, .prefix = {}, .prefix_pieces = 0};
  auto ended = co_await model.stream(turn, sink);
  answer = std::move(ended);
}

std::optional<std::string> journaled(const std::vector<Step>& finished, const std::string& hash) {
  for (const Step& step : finished) {
    if (step.kind != kind || step.input_hash != hash) continue;
    const auto answered = decode_turn(step.output);
    if (answered) return answered->text;
  }
  return std::nullopt;
}

/// The end of a run that has no summary, if that ends it: where the model will never make one, the
/// message is answered without, since all later ones would fail as well.
std::optional<RunEnd> without_summary(const JobRun& run, std::optional<Answer>& answer) {
  if (!answer || run.stop_wanted() != Stop::none) return stopped_end(run);
  ChatFailure& failure = answer->error();
  if (failure.retryable) return RunFailed{std::move(failure)};
  log::warn("summary_failed", {{"job", run.job().id.str()}, {"code", failure.code}});
  return std::nullopt;
}

/// Pays for it, and journals it. Empty: there is none, and the run ends if `end` says so.
Task<std::string> made(JobRun& run, const Job& asked, std::string hash,
                       std::optional<RunEnd>& end) {
  const bool may_act = co_await run.pen.may_act();
  if (!may_act || run.stop_wanted() != Stop::none) {
    end = stopped_end(run);
    co_return std::string();
  }
  Collected sink;
  std::optional<Answer> answer;
  {
    Nursery upstream(run.parts.clock);
    JobRun::Upstream stoppable(run, upstream);
    upstream.start(ask(run.parts.model, asked, sink, answer));
    co_await upstream.join();
  }
  if (!answer || !*answer || run.pen.stopped()) {
    end = run.pen.stopped() ? stopped_end(run) : without_summary(run, answer);
    co_return std::string();
  }
  const Step step{.index = step_index,
                  .kind = std::string(kind),
                  .input_hash = std::move(hash),
                  .output = encode_turn(**answer, sink.text)};
  const auto saved = co_await run.parts.store.save_step(run.job().id, step);
  if (!saved) end = GivenBack{run.parts.clock.now() + store_wait};
  co_return std::move(sink.text);
}

}  // namespace

Task<std::optional<RunEnd>> summarise(JobRun& run, const Job& job,
                                      const std::vector<Step>& finished, Past& past) {
  if (past.older.empty()) co_return std::nullopt;
  const Job asked = summary_job(job, transcript(past));
  const std::string hash = turn_hash(asked);
  auto text = journaled(finished, hash);
  std::optional<RunEnd> end;
  if (!text) text = co_await made(run, asked, hash, end);
  if (end) co_return end;
  if (text->empty()) co_return std::nullopt;
  const Summary summary{.text = std::move(*text), .upto = past.older.back().id};
  const auto kept = co_await run.parts.sessions.keep_summary(job.tenant, job.session, summary);
  if (!kept && kept.error() != Errc::not_found)
    co_return GivenBack{run.parts.clock.now() + store_wait};
  past.summary = summary.text;
  past.older.clear();
  co_return std::nullopt;
}

}  // namespace millrace
