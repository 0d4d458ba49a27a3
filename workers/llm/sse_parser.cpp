#include "workers/llm/sse_parser.h"

namespace millrace {
namespace {
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
}

void SseParser::reset() {
  line_.clear();
  data_.clear();
  view_ = {};
  has_data_ = false;
  skip_lf_ = false;
  first_line_ = true;
  state_ = State::reading;
}

SseParser::State SseParser::push(std::string_view bytes, SseTaker& taker) {
  while (!bytes.empty() && state_ == State::reading) {
    if (skip_lf_ && bytes.front() == '\n') bytes.remove_prefix(1);
    skip_lf_ = false;
    const auto lf = bytes.find('\n');
    const auto cr = bytes.substr(0, lf).find('\r');
    const auto end = cr != std::string_view::npos ? cr : lf;
    if (end == std::string_view::npos) {
      line_.append(bytes);
      if (line_.size() > bytes_max_) state_ = State::too_long;
      break;
    }
    skip_lf_ = bytes[end] == '\r';
    const std::string_view rest = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (line_.empty()) {
      take_line(rest, taker);
    } else {
      line_.append(rest);
      take_line(line_, taker);
      keep_data();
      line_.clear();
    }
  }
  keep_data();
  return state_;
}

SseParser::State SseParser::end(SseTaker& taker) {
  if (state_ == State::reading && has_data_) dispatch(taker);
  return state_;
}

void SseParser::take_line(std::string_view line, SseTaker& taker) {
  if (first_line_ && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
  first_line_ = false;
  if (line.empty()) {
    if (has_data_) dispatch(taker);
    return;
  }
  if (!line.starts_with("data")) return;
  line.remove_prefix(4);
  if (!line.empty() && line.front() != ':') return;
  if (!line.empty()) line.remove_prefix(1);
  if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  if (!has_data_) {
    has_data_ = true;
    view_ = line;
    if (line.size() > bytes_max_) state_ = State::too_long;
    return;
  }
  keep_data();
  data_.append("\n").append(line);
  if (data_.size() > bytes_max_) state_ = State::too_long;
}

/// Copies what lies in memory that will not stay.
void SseParser::keep_data() {
  if (view_.empty()) return;
  data_.append(view_);
  view_ = {};
}

void SseParser::dispatch(SseTaker& taker) {
  const std::string_view data = view_.empty() ? std::string_view(data_) : view_;
  const bool more = taker.on_event(data);
  has_data_ = false;
  view_ = {};
  data_.clear();
  if (!more && state_ == State::reading) state_ = State::stopped;
}

}  // namespace millrace
