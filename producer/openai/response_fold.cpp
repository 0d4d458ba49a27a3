#include "producer/openai/response_fold.h"

#include <simdjson.h>

#include "producer/openai/chat_failure.h"
#include "producer/relay/sse.h"
#include "shared/contract/raw_members.h"
#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

namespace dom = simdjson::dom;

/// A log that was shortened no longer says how many events there were of each kind, so behind its
/// snapshot the numbers go on from that of the log's event and this: more than a log of whole
/// events holds, so none is given twice.
constexpr Seq behind_snapshot = 1'000'000;

std::string_view quote_less(std::string_view json) {
  return json.size() < 2 ? json : json.substr(1, json.size() - 2);
}

}  // namespace

ResponseFold::ResponseFold(ResponseHead head, std::optional<Seq> starting_after)
    : head_(std::move(head)), after_(starting_after) {}

void ResponseFold::take(std::string_view type, Seq seq, std::string_view json, std::string& out) {
  if (over_) return;
  job_ended_ = terminal_event(type);
  if (type == "gap") return gap(json);
  begin(out);
  if (type == "started") return started(out);
  if (type == "delta") return delta(out, seq, json);
  if (type == "rewind") return rewind(out, json);
  if (type == "snapshot") return snapshot(out, seq, json);
  if (type == "tool_call") return tool_call(out, json);
  if (type == "done") return done(out, json);
  if (job_ended_) end_without_answer(out, type, json);
}

// --- numbers

void ResponseFold::tell(std::string& out, std::string_view type, std::string_view members) {
  const Seq number = next_++;
  const bool last = over_ && end_again_;
  if (!told(number) && !last && !(over_ && only_end_)) return;
  out.append("event: ").append(type).append("\ndata: {\"type\":\"").append(type);
  out += R"(","sequence_number":)";
  append_number(out, number);
  out.append(members).append("}\nid: ");
  append_number(out, number);
  out += "\n\n";
}

void ResponseFold::tell_response(std::string& out, std::string_view type,
                                 const ResponseState& state) {
  tell(out, type, R"(,"response":)" + response_json(head_, state));
}

/// A reader's place between what was told and `next` was given by a log that has been lost.
void ResponseFold::lose_numbers_below(Seq next) {
  if (after_ && *after_ >= next_ && *after_ < next) only_end_ = true;
  jump_to_ = next;
}

/// What is told from here on was never told before.
void ResponseFold::jump() {
  if (jump_to_) next_ = std::max(next_, *jump_to_);
  jump_to_.reset();
}

void ResponseFold::gap(std::string_view json) {
  lost_ = true;
  const Seq to = number_member(json, R"(,"to":)");
  // The log has gone, and the Store's last word is all that comes.
  const bool gone = to >= relay::last_seq_possible - 1;
  if (!gone) return lose_numbers_below(to + 1);
  end_again_ = true;
}

// --- the beginning

void ResponseFold::begin(std::string& out) {
  if (std::exchange(begun_, true)) return;
  const ResponseState state{.status = head_.background ? "queued" : "in_progress"};
  tell_response(out, "response.created", state);
  if (head_.background) tell_response(out, "response.queued", state);
}

void ResponseFold::started(std::string& out) {
  if (std::exchange(started_, true)) return;
  tell_response(out, "response.in_progress", {.status = "in_progress"});
}

// --- what is said

/// `,"item_id":…,"output_index":…,"content_index":0` of the open message.
std::string ResponseFold::place_of_item() const {
  std::string place = R"(,"item_id":")" + item_ + R"(","output_index":)";
  append_number(place, items_ - 1);
  return place += R"(,"content_index":0)";
}

void ResponseFold::open(std::string& out) {
  if (!item_.empty()) return;
  started(out);
  item_ = to_string(ItemName{.kind = ItemKind::message, .job = head_.id, .place = items_});
  std::string members = R"(,"output_index":)";
  append_number(members, items_++);
  members.append(R"(,"item":)").append(message_item(item_, "in_progress", {}));
  tell(out, "response.output_item.added", members);
  tell(out, "response.content_part.added", place_of_item() + R"(,"part":)" + text_part(""));
}

/// `valid`: it is a part of the answer.
void ResponseFold::close(std::string& out, std::string_view status, bool valid) {
  if (item_.empty()) return;
  const std::string place = place_of_item();
  tell(out, "response.output_text.done", place + R"(,"text":")" + said_ + R"(","logprobs":[])");
  tell(out, "response.content_part.done", place + R"(,"part":)" + text_part(said_));
  const std::string item = message_item(item_, status, said_);
  std::string members = R"(,"output_index":)";
  append_number(members, items_ - 1);
  tell(out, "response.output_item.done", members + R"(,"item":)" + item);
  if (valid) output_.append(output_.empty() ? "" : ",").append(item);
  item_.clear();
  said_.clear();
  marks_.clear();
}

void ResponseFold::say(std::string& out, std::string_view escaped, Seq seq) {
  if (escaped.empty()) return;
  open(out);
  tell(out, "response.output_text.delta",
       place_of_item().append(R"(,"delta":")").append(escaped).append(R"(","logprobs":[])"));
  said_ += escaped;
  marks_.emplace_back(seq, said_.size());
}

void ResponseFold::delta(std::string& out, Seq seq, std::string_view json) {
  if (lost_) return;  // there may be a hole in front of it
  say(out, text_member(json), seq);
}

/// One that takes back nothing of what was told changes nothing.
void ResponseFold::rewind(std::string& out, std::string_view json) {
  const Seq to = number_member(json, R"(,"to":)");
  if (to == 0) lost_ = false;
  const bool undoes = !marks_.empty() && marks_.back().first > to;
  if (undoes) {
    std::size_t kept = 0;
    for (const auto& [seq, length] : marks_)
      if (seq <= to) kept = length;
    const std::string text = said_.substr(0, kept);
    close(out, "incomplete", false);
    say(out, text, to);
  }
  if (!lost_) jump();
}

void ResponseFold::snapshot(std::string& out, Seq seq, std::string_view json) {
  const bool shortened = !lost_;
  if (shortened) lose_numbers_below(number_member(json, R"(,"upto":)") + behind_snapshot);
  replace(out, text_member(json, R"(","upto":)"), seq);
  jump();
}

/// The whole text so far: what was told is how it begins, or was wrong.
void ResponseFold::replace(std::string& out, std::string_view escaped, Seq seq) {
  lost_ = false;
  if (!escaped.starts_with(said_)) close(out, "incomplete", false);
  say(out, escaped.substr(said_.size()), seq);
}

void ResponseFold::tool_call(std::string& out, std::string_view json) {
  const auto calls = read_tool_calls("[" + std::string(json) + "]");
  if (calls.empty()) return;
  const ToolCall& call = calls.front();
  close(out, "completed", true);
  started(out);
  const std::string name =
      to_string(ItemName{.kind = ItemKind::call, .job = head_.id, .place = calls_++});
  std::string index = R"(,"output_index":)";
  append_number(index, items_++);
  const std::string place = R"(,"item_id":")" + name + "\"" + index;
  std::string arguments;
  append_json_string(arguments, call.arguments);
  tell(out, "response.output_item.added",
       index + R"(,"item":)" + call_item(name, "in_progress", call, ""));
  if (!call.arguments.empty())
    tell(out, "response.function_call_arguments.delta", place + R"(,"delta":)" + arguments);
  std::string named = R"(,"name":)";
  append_json_string(named, call.name);
  tell(out, "response.function_call_arguments.done",
       place + named + R"(,"arguments":)" + arguments);
  const std::string item = call_item(name, "completed", call, call.arguments);
  tell(out, "response.output_item.done", index + R"(,"item":)" + item);
  output_.append(output_.empty() ? "" : ",").append(item);
}

// --- the end

void ResponseFold::done(std::string& out, std::string_view json) {
  thread_local dom::parser parser;
  dom::element event;
  if (parser.parse(json.data(), json.size()).get(event)) return;
  std::string_view text;
  std::string_view reason;
  std::string_view model;
  (void)event.at_pointer("/result/text").get(text);
  (void)event.at_pointer("/result/finish_reason").get(reason);
  (void)event.at_pointer("/result/model").get(model);
  if (lost_) {
    std::string escaped;
    append_json_string(escaped, text);
    replace(out, quote_less(escaped), 0);
    jump();
  }
  dom::element calls;
  if (calls_ == 0 && !event.at_pointer("/result/tool_calls").get(calls))
    for (const auto call : calls.get_array()) tool_call(out, simdjson::minify(call));
  started(out);
  if (output_.empty()) open(out);
  const auto finished = finished_as(reason);
  close(out, finished.status, true);
  over_ = true;
  const std::string type = "response." + std::string(finished.status);
  tell_response(out, type,
                {.status = finished.status,
                 .incomplete = finished.incomplete,
                 .model = model,
                 .output = output_,
                 .usage = raw_member(json, event, "usage")});
}

/// A cancel is told as an end that is incomplete: SDKs know no other event for it, and the
/// response itself says `cancelled`.
void ResponseFold::end_without_answer(std::string& out, std::string_view type,
                                      std::string_view json) {
  jump();
  close(out, "incomplete", true);
  over_ = true;
  if (type == "cancelled")
    return tell_response(out, "response.incomplete", {.status = "cancelled", .output = output_});
  tell_response(out, "response.failed",
                {.status = "failed", .output = output_, .error = failure_told(type, json)});
}

/// It is no event of the response: a reader that comes back goes on behind its last.
void ResponseFold::fail(Problem problem, std::string& out) {
  over_ = true;
  out += "event: error\ndata: {\"type\":\"error\",\"sequence_number\":";
  append_number(out, next_);
  out += R"(,"code":)";
  append_json_string(out, problem.code);
  out += R"(,"message":)";
  append_json_string(out, problem.detail);
  out += R"(,"param":null})";
  out += "\n\n";
}

}  // namespace millrace::openai
