#include "workers/pool/llm_turn.h"

#include <simdjson.h>

#include <algorithm>

#include "shared/runtime/ids.h"
#include "shared/runtime/json_text.h"
#include "workers/pool/conversation.h"
#include "workers/pool/summary.h"

namespace millrace {
namespace {

/// How long a run is put aside that the Store could not tell what was said before.
constexpr Duration store_wait = 1s;

using ModelAnswer = std::expected<ChatEnd, ChatFailure>;

Task<> ask(ChatModel& model, ChatTurn turn, TextSink& sink, std::optional<ModelAnswer>& answer) {
  auto ended = co_await model.stream(turn, sink);
  answer = std::move(ended);
}

Task<> fetch(LargeInputs& inputs, const Job& job, std::optional<Result<WholeJob>>& fetched) {
  auto whole = co_await inputs.fetch(job);
  fetched = std::move(whole);
}

/// The job with its large input; nothing when the run was told to stop.
Task<std::optional<Result<WholeJob>>> whole_job(JobRun& run) {
  std::optional<Result<WholeJob>> fetched;
  Nursery fetching(run.parts.clock);
  JobRun::Upstream stoppable(run, fetching);
  fetching.start(fetch(run.parts.inputs, run.job(), fetched));
  co_await fetching.join();
  co_return fetched;
}

RunFailed without_input(Errc error) {
  if (error == Errc::not_found)
    return {{.code = "input_missing",
             .message = "the job's input, kept as an object for its size, is not there: it was "
                        "deleted, or the worker looks in another place than the edge",
             .retryable = false,
             .retry_after = {}}};
  return {{.code = "input_corrupt",
           .message = "the job's input, kept as an object for its size, is not what was accepted",
           .retryable = false,
           .retry_after = {}}};
}

std::optional<Answered> finished_turn(const std::vector<Step>& finished, const std::string& hash) {
  for (const Step& step : finished) {
    if (step.index == 0 && step.kind == "llm_turn" && step.input_hash == hash)
      return decode_turn(step.output);
  }
  return std::nullopt;
}

/// The words the model goes on from; where it cannot, readers are told to forget them. What was
/// said beside the text no model can be given back.
std::string prefix_for(JobRun& run) {
  const bool aside = run.pen.spoke_aside();
  if (run.pen.text().empty() && !aside) return {};
  if (run.parts.settings.llm_continue == LlmContinue::prefill && !aside) {
    WorkerCounts::add(run.parts.counts.prefilled);
    return run.pen.text();
  }
  WorkerCounts::add(run.parts.counts.rewound);
  run.pen.rewind(run.text_begins_after);
  return {};
}

/// Every token was said before the run was cut: there is nothing left to ask for.
bool all_said(const ChatTurn& turn) {
  return turn.job.max_tokens && turn.prefix_pieces >= *turn.job.max_tokens;
}

Answered answered_turn(const JobRun& run, const std::string& hash, ChatEnd end) {
  Step step{.index = 0,
            .kind = "llm_turn",
            .input_hash = hash,
            .output = encode_turn(end, run.pen.text())};
  return {.end = std::move(end), .text = {}, .step = std::move(step)};
}

void count_turn(JobRun& run, Instant asked) {
  WorkerCounts& counts = run.parts.counts;
  counts.turn.observe(run.parts.clock.now() - asked);
  if (run.pen.first_text()) counts.first_token.observe(*run.pen.first_text() - asked);
}

/// How long a job waited that had nothing to wait for but a worker.
void count_start(JobRun& run) {
  if (run.errors + run.lost_runs > 0 || run.delivery.redelivered || run.job().not_before) return;
  // Another host may have accepted it, by another clock.
  const auto waited = run.parts.clock.wall() - run.job().created_at;
  run.parts.counts.first_event.observe(std::max<Duration>(waited, 0s));
}

RunEnd length_reached(const JobRun& run, const std::string& hash) {
  return answered_turn(run, hash,
                       ChatEnd{.finish_reason = "length", .model = run.job().model, .usage = {}});
}

/// Asks the model; `job` is the run's with its input.
Task<RunEnd> ask_turn(JobRun& run, const Job& job, const std::string& hash) {
  const bool may_act = co_await run.pen.may_act();
  if (!may_act || run.stop_wanted() != Stop::none) co_return stopped_end(run);
  const std::string prefix = prefix_for(run);
  run.pen.started(run.errors + run.lost_runs + 1);
  count_start(run);

  const ChatTurn turn{
      .job = job, .prefix = prefix, .prefix_pieces = prefix.empty() ? 0 : run.pieces_said};
  if (all_said(turn)) co_return length_reached(run, hash);
  std::optional<ModelAnswer> answer;
  const Instant asked = run.parts.clock.now();
  {
    Nursery upstream(run.parts.clock);
    JobRun::Upstream stoppable(run, upstream);
    upstream.start(ask(run.parts.model, turn, run.pen, answer));
    co_await upstream.join();
  }
  count_turn(run, asked);
  // An answer that came whole stands, even when a stop came with it: it is paid for.
  if (!answer || run.pen.stopped()) co_return stopped_end(run);
  if (!*answer) {
    if (run.stop_wanted() != Stop::none) co_return stopped_end(run);
    co_return RunFailed{std::move(answer->error())};
  }
  co_return answered_turn(run, hash, std::move(**answer));
}

/// The same; a message goes to the model with what was said before.
Task<RunEnd> ask_with_context(JobRun& run, const Job& job, const std::vector<Step>& finished,
                              const std::string& hash) {
  if (!job.context) co_return co_await ask_turn(run, job, hash);
  auto past = co_await read_past(run.parts.sessions, job);
  if (!past) co_return GivenBack{run.parts.clock.now() + store_wait};
  auto end = co_await summarise(run, job, finished, *past);
  if (end) co_return std::move(*end);
  const Job whole = in_conversation(job, *past);
  co_return co_await ask_turn(run, whole, hash);
}

}  // namespace

RunEnd stopped_end(const JobRun& run) {
  if (run.stop_wanted() == Stop::cancel) return CancelAsked{};
  if (run.stop_wanted() == Stop::deadline) return DeadlinePassed{};
  return GivenBack{run.parts.clock.now()};
}

Task<RunEnd> llm_turn(JobRun& run, const std::vector<Step>& finished) {
  const std::string hash = turn_hash(run.job());
  if (auto answered = finished_turn(finished, hash)) co_return std::move(*answered);
  if (!run.job().input_ref) co_return co_await ask_with_context(run, run.job(), finished, hash);

  const bool stopped = run.stop_wanted() != Stop::none;
  if (stopped) co_return stopped_end(run);
  const auto whole = co_await whole_job(run);
  if (!whole) co_return stopped_end(run);
  if (!*whole) co_return without_input(whole->error());
  co_return co_await ask_with_context(run, (*whole)->job(), finished, hash);
}

std::string turn_hash(const Job& job) {
  std::string turn = job.model;
  turn += '\n';
  if (job.max_tokens) append_number(turn, std::uint64_t{*job.max_tokens});
  turn += '\n';
  if (job.temperature) turn += std::to_string(*job.temperature);
  turn += '\n';
  if (!job.params.empty()) turn.append(job.params).append("\n");
  turn += job.input_ref ? job.input_ref->sha256 : job.input;
  return fingerprint(turn);
}

std::string encode_turn(const ChatEnd& end, std::string_view text) {
  std::string out = R"({"text":)";
  append_json_string(out, text);
  out += R"(,"finish_reason":)";
  append_json_string(out, end.finish_reason);
  out += R"(,"model":)";
  append_json_string(out, end.model);
  if (!end.tool_calls.empty()) {
    out += R"(,"tool_calls":)";
    append_tool_calls(out, end.tool_calls);
  }
  append_members(out, end.asides);
  if (!end.usage.empty()) out.append(R"(,"usage":)").append(end.usage);
  out += '}';
  return out;
}

std::optional<Answered> decode_turn(std::string_view output) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::element json;
  if (parser.parse(output.data(), output.size()).get(json)) return std::nullopt;
  Answered answered;
  std::string_view text;
  std::string_view finish_reason;
  std::string_view model;
  if (json["text"].get(text) || json["finish_reason"].get(finish_reason) ||
      json["model"].get(model))
    return std::nullopt;
  answered.text.emplace(text);
  answered.end.finish_reason = finish_reason;
  answered.end.model = model;
  simdjson::dom::element calls;
  if (!json["tool_calls"].get(calls))
    answered.end.tool_calls = read_tool_calls(simdjson::minify(calls));
  answered.end.asides = read_asides(output);
  simdjson::dom::element usage;
  if (!json["usage"].get(usage)) answered.end.usage = simdjson::minify(usage);
  return answered;
}

}  // namespace millrace
