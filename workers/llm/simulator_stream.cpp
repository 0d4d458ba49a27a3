#include "workers/llm/simulator.h"

#include <algorithm>

namespace millrace {
namespace {

// Tokens due at once are joined up to here.
constexpr std::size_t write_bytes_max = 64 * 1024;
// Two of the three bytes of a Hangul syllable.
constexpr std::string_view half_character = "\xed\x95";
constexpr std::string_view in_band_error =
    R"({"error":{"message":"The server had an error while it answered (simulated).",)"
    R"("type":"server_error","param":null,"code":"simulated_error"}})";

/// Counts an answer as running for as long as this lives.
class Running {
 public:
  Running(SimStats& stats, bool streamed) : stats_(stats), streamed_(streamed) {
    stats_.answer_begins(streamed_);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { stats_.answer_ends(streamed_); }

 private:
  SimStats& stats_;
  bool streamed_;
};

}  // namespace

/// Waits on the absolute schedule. `stop`: the client has left, which is counted.
Task<Simulator::Next> Simulator::wait_until(const Run& run, http::StreamWriter& out, Instant when) {
  for (;;) {
    if (out.closed()) {
      stats_.client_left(run.job, clock_.wall());
      co_return Next::stop;
    }
    if (out.draining()) throw http::StreamCut();
    if (when <= clock_.now()) co_return Next::go_on;
    co_await out.wake().wait_until(when);
  }
}

Task<Simulator::Next> Simulator::send(const Run& run, http::StreamWriter& out, std::string& chunk,
                                      std::uint32_t tokens) {
  const auto written = co_await out.write(chunk);
  chunk.clear();
  if (!written) {
    stats_.client_left(run.job, clock_.wall());
    co_return Next::stop;
  }
  stats_.sent(run.job, tokens);
  co_return Next::go_on;
}

/// Appends the tokens from `number` on that are due, up to a fault; returns how many.
std::uint32_t Simulator::append_due(const Run& run, std::string& chunk,
                                    std::uint32_t number) const {
  const auto now = clock_.now();
  std::string text;
  std::uint32_t appended = 0;
  while (number <= run.answer.last() && run.began + run.answer.due(number) <= now &&
         chunk.size() < write_bytes_max) {
    text.clear();
    if (run.answer.calls_tools()) {
      const auto& piece = run.answer.pieces()[number - 1];
      run.writer.tool(chunk, piece, run.answer.tool(piece.call));
    } else {
      run.answer.append_token(text, number, now);
      run.writer.token(chunk, run.answer.member_of(number), text);
    }
    ++appended;
    if (run.answer.strikes_after(number++)) break;
  }
  return appended;
}

/// Lets the fault happen. What it leaves in `chunk` goes out with the next write.
Task<Simulator::Next> Simulator::strike(const Run& run, http::StreamWriter& out,
                                        std::string& chunk) {
  stats_.fault(fault_name(run.answer.model()));
  switch (run.answer.model().fault) {
    case SimFault::cut:
      throw http::StreamCut();
    case SimFault::garbage:
      chunk += "data: {\"id\": this is not JSON\n\n";
      co_return Next::go_on;
    case SimFault::in_band:
      chunk.append("data: ").append(in_band_error).append("\n\n");
      (void)co_await send(run, out, chunk, 0);
      co_return Next::stop;
    default:
      break;
  }
  co_return co_await wait_until(run, out, Instant::max());
}

Task<Simulator::Next> Simulator::send_tokens(const Run& run, http::StreamWriter& out,
                                             std::string& chunk) {
  auto number = run.answer.first();
  while (number <= run.answer.last()) {
    const auto due = co_await wait_until(run, out, run.began + run.answer.due(number));
    if (due == Next::stop) co_return Next::stop;
    const auto tokens = append_due(run, chunk, number);
    number += tokens;
    const auto sent = co_await send(run, out, chunk, tokens);
    if (sent == Next::stop) co_return Next::stop;
    if (!run.answer.strikes_after(number - 1)) continue;
    const auto struck = co_await strike(run, out, chunk);
    if (struck == Next::stop) co_return Next::stop;
  }
  co_return Next::go_on;
}

Task<> Simulator::stream(Run run, http::StreamWriter& out) {
  const Running running(stats_, true);
  const auto& answer = run.answer;
  const auto fault = answer.model().fault;
  std::string chunk;
  const auto begun = co_await wait_until(run, out, run.began + answer.model().first);
  if (begun == Next::stop) co_return;
  run.writer.role(chunk);
  if (answer.first() == 1 && answer.strikes_after(0)) {
    const auto sent = co_await send(run, out, chunk, 0);
    if (sent == Next::stop) co_return;
    const auto struck = co_await strike(run, out, chunk);
    if (struck == Next::stop) co_return;
  }
  const auto told = co_await send_tokens(run, out, chunk);
  if (told == Next::stop) co_return;
  if (fault == SimFault::half_utf8 || fault == SimFault::no_end)
    stats_.fault(fault_name(answer.model()));
  if (fault == SimFault::half_utf8) run.writer.token(chunk, "content", half_character);
  if (fault != SimFault::no_end) {
    run.writer.end(chunk, answer.finish_reason());
    run.writer.usage(chunk, answer.asked());
    chunk += "data: [DONE]\n\n";
  }
  if (!chunk.empty()) (void)co_await send(run, out, chunk, 0);
}

/// The same answers and faults in one body, sent when its last token would be due.
Task<> Simulator::answer_whole(Run run, http::StreamWriter& out) {
  const Running running(stats_, false);
  const auto& answer = run.answer;
  const auto fault = answer.model().fault;
  const bool never = fault == SimFault::stall || fault == SimFault::endless;
  const auto due =
      never ? Instant::max() : run.began + answer.due(std::max(answer.first(), answer.last()));
  const auto waited = co_await wait_until(run, out, due);
  if (waited == Next::stop) co_return;
  if (fault != SimFault::none && fault != SimFault::status)
    stats_.fault(fault_name(answer.model()));
  SimSaid said;
  for (auto number = answer.first(); !answer.calls_tools() && number <= answer.last(); ++number)
    answer.append_token(said.of(answer.member_of(number)), number, clock_.now());
  if (fault == SimFault::half_utf8) said.content += half_character;
  std::string body = run.writer.whole(said, answer);
  if (fault == SimFault::garbage) body.insert(0, "this is not JSON ");
  if (fault == SimFault::in_band) body = in_band_error;
  if (fault == SimFault::cut || fault == SimFault::no_end) body.resize(body.size() / 2);
  const auto sent = co_await send(run, out, body, answer.asked());
  if (sent == Next::go_on && fault == SimFault::cut) throw http::StreamCut();
}

}  // namespace millrace
