#include "tests/simulation/reader_view.h"

#include <charconv>

namespace millrace::sim {
namespace {

std::optional<Seq> number(std::string_view text) {
  Seq value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

std::optional<Seq> member(std::string_view json, std::string_view name) {
  const auto at = json.find(name);
  return at == std::string_view::npos ? std::nullopt : number(json.substr(at + name.size()));
}

}  // namespace

void ReaderView::broken(const std::string& how) {
  world_.broken("P2", name_ + " of " + id_.str().substr(30) + ": " + how);
}

void ReaderView::take(std::string_view bytes) {
  rest_ += bytes;
  for (auto end = rest_.find("\n\n"); end != std::string::npos; end = rest_.find("\n\n")) {
    const std::string frame = rest_.substr(0, end + 1);
    rest_.erase(0, end + 2);
    take_frame(frame);
  }
}

/// Line by line, as the specification of EventSource has it.
void ReaderView::take_frame(std::string_view frame) {
  std::string_view type;
  std::string_view data;
  std::optional<Seq> seq;
  while (!frame.empty()) {
    const auto end = frame.find('\n');
    const auto line = frame.substr(0, end);
    frame.remove_prefix(end + 1);
    if (line.starts_with("event: ")) type = line.substr(7);
    if (line.starts_with("data: ")) data = line.substr(6);
    if (line.starts_with("id: ")) seq = number(line.substr(4));
  }
  if (!data.empty()) take_event(type, data, seq);
}

void ReaderView::take_event(std::string_view type, std::string_view json, std::optional<Seq> seq) {
  const auto said = std::string(type) + (seq ? " " + std::to_string(*seq) : "");
  if (ended()) return broken("`" + said + "` came after the end");
  const auto from = member(json, R"("from":)");
  const auto to = member(json, R"("to":)");
  if (seq && *seq <= last_) return broken("`" + said + "` came after " + std::to_string(last_));
  if (seq && member(json, R"("seq":)") != seq) return broken("id and seq differ in `" + said + "`");
  const Seq known = std::max(last_, announced_to_);
  if (type == "gap") {
    // Between the events that a reader with a snapshot is sent stood text, which is in it.
    if (!from || !to || (*from > known + 1 && !snapshot_))
      return broken("a gap from " + std::to_string(from.value_or(0)) + " leaves out what follows " +
                    std::to_string(known));
    announced_to_ = std::max(announced_to_, *to);
    saw_gap_ = true;
    if (!seq) hole_ = true;
  }
  const bool jumps = seq && *seq > std::max(last_, announced_to_) + 1;
  if (jumps && type != "snapshot" && !snapshot_)
    return broken("`" + said + "` follows " + std::to_string(last_) + " without a gap");
  const bool is_text = type == "delta" || type == "rewind" || type == "snapshot";
  if (seq && is_text && *seq <= covered_to_)
    return broken("`" + said + "` came after a snapshot up to " + std::to_string(covered_to_));
  if (type == "snapshot" || (type == "rewind" && to == Seq{0})) hole_ = false;
  if (!seq && type == "snapshot") {
    covered_to_ = member(json, R"("upto":)").value_or(0);
    announced_to_ = std::max(announced_to_, covered_to_);
  }
  if (type != "gap")
    fold_.take({.seq = seq.value_or(covered_to_), .type = type, .json = json, .whole = {}});
  last_ = seq.value_or(last_);
  if (!terminal_event(type)) return;
  end_type_ = type;
  end_json_ = json;
  ended_at_ = world_.now();
}

}  // namespace millrace::sim
