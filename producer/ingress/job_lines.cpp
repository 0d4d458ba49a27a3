#include "producer/ingress/job_lines.h"

#include <boost/asio/this_coro.hpp>
#include <deque>
#include <exception>

#include "producer/ingress/job_request.h"
#include "producer/ingress/limits.h"
#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

/// One line of the body on its way, and its answer once it has one.
struct Line {
  std::uint64_t number = 0;
  std::string_view text;  ///< into the body
  std::string answer;
};

/// Gives the lines of a body, blank ones left out.
class LineReader {
 public:
  explicit LineReader(std::string_view body) : rest_(body) {}

  bool next(Line& line) {
    while (!rest_.empty()) {
      const auto end = std::min(rest_.find('\n'), rest_.size());
      line.text = rest_.substr(0, end);
      line.number = ++number_;
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      if (line.text.find_first_not_of(" \t\r") != std::string_view::npos) return true;
    }
    return false;
  }

 private:
  std::string_view rest_;
  std::uint64_t number_ = 0;
};

std::string answer(std::uint64_t number, const Submitted& submitted) {
  std::string out = R"({"line":)";
  append_number(out, number);
  if (submitted) {
    out += R"(,"id":")";
    submitted->id.append_to(out);
    out.append(R"(","status":")").append(to_string(submitted->state)).append("\"}\n");
  } else {
    out.append(R"(,"error":)").append(to_json(submitted.error())).append("}\n");
  }
  return out;
}

/// Runs one request's lines: up to `ndjson_lines_at_once` at once, answered in order.
class Batch {
 public:
  Batch(Submit& submit, Clock& clock, IngressMetrics& metrics, const JobLines& lines,
        http::StreamWriter& out)
      : submit_(submit),
        clock_(clock),
        metrics_(metrics),
        lines_(lines.body),
        tenant_(lines.tenant),
        key_(lines.idempotency_key),
        traceparent_(lines.traceparent),
        guard_(lines.guard),
        out_(out),
        nursery_(clock),
        answered_(clock) {}

  Task<> run() {
    std::exception_ptr cut_short;
    try {
      co_await answer_all();
    } catch (...) {
      cut_short = std::current_exception();
    }
    // The lines on their way refer to this object.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    co_await nursery_.join();
    co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
    if (cut_short) std::rethrow_exception(cut_short);
  }

 private:
  Task<> answer_all() {
    while (!out_.closed()) {
      fill();
      if (window_.empty()) co_return;
      const std::string answers = take_answers();
      if (answers.empty()) {
        co_await answered_.wait();
        continue;
      }
      const auto written = co_await out_.write(answers);
      if (!written) co_return;
    }
  }

  void fill() {
    Line line;
    while (window_.size() < ingress_limits::ndjson_lines_at_once && lines_.next(line)) {
      window_.push_back(line);
      nursery_.start(submit_line(window_.back()));
    }
  }

  std::string take_answers() {
    std::string answers;
    for (; !window_.empty() && !window_.front().answer.empty(); window_.pop_front())
      answers += window_.front().answer;
    return answers;
  }

  Task<> submit_line(Line& line) {
    const auto submitted = co_await submit_text(line);
    line.answer = answer(line.number, submitted);
    answered_.notify();
  }

  Task<Submitted> submit_text(const Line& line) {
    auto job = parse_job_request(line.text, clock_.wall(), guard_);
    if (!job) {
      metrics_.refused(job.error().code);
      co_return std::unexpected(Refusal{std::move(job.error()), {}, {}});
    }
    job->tenant = tenant_;
    job->traceparent = traceparent_;
    if (key_.empty()) co_return co_await submit_.fresh(std::move(*job));
    // No header can hold a line feed: a line's key is never somebody's whole key.
    co_return co_await submit_.keyed(std::move(*job), key_ + "\n" + std::to_string(line.number),
                                     fingerprint(line.text));
  }

  Submit& submit_;
  Clock& clock_;
  IngressMetrics& metrics_;
  LineReader lines_;
  const std::string& tenant_;
  const std::string& key_;
  const std::string& traceparent_;
  const outbound::Guard& guard_;
  http::StreamWriter& out_;
  std::deque<Line> window_;  ///< a deque, for its lines keep their place
  Nursery nursery_;
  Signal answered_;
};

}  // namespace

Task<> submit_lines(Submit& submit, Clock& clock, IngressMetrics& metrics,
                    std::shared_ptr<const JobLines> lines, http::StreamWriter& out) {
  Batch batch(submit, clock, metrics, *lines, out);
  co_await batch.run();
}

}  // namespace millrace
