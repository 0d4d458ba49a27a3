#include "producer/openai/response_fold.h"

#include <simdjson.h>

#include <algorithm>

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

/// What the events of a part are called behind `response.`, and their member.
struct PartWords {
  std::string_view events;
  std::string_view member;
};
constexpr PartWords words_of(PartKind part) {
  if (part == PartKind::refusal) return {"refusal", "refusal"};
  return {part == PartKind::text ? "output_text" : "reasoning_text", "text"};
}

std::string escaped(std::string_view text) {
  std::string out;
  append_json_escaped(out, text);
  return out;
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
  if (type == "reasoning") return aside(out, PartKind::reasoning, seq, json);
  if (type == "refusal") return aside(out, PartKind::refusal, seq, json);
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

// --- items and their parts

/// `,"item_id":…,"output_index":…,"content_index":…` of the part that is being said.
std::string ResponseFold::place_of_part() const {
  std::string place = R"(,"item_id":")" + open_->name + R"(","output_index":)";
  append_number(place, open_->index);
  place += R"(,"content_index":)";
  append_number(place, open_->part_index);
  return place;
}

std::string ResponseFold::item_json(std::string_view status, std::string_view parts) const {
  if (open_->kind == ItemKind::reasoning) return reasoning_item(open_->name, status, parts);
  return message_item(open_->name, status, parts);
}

void ResponseFold::open_item(std::string& out, ItemKind kind) {
  if (open_ && open_->kind == kind) return;
  close(out, "completed", true);
  started(out);
  open_.emplace();
  open_->kind = kind;
  open_->index = items_++;
  // One that begins anew is the same item, by the name under which the response is kept.
  const bool message = kind == ItemKind::message;
  const auto standing = std::ranges::count(closed_, message, &ClosedItem::message);
  open_->name = to_string(
      ItemName{.kind = kind, .job = head_.id, .place = static_cast<std::uint64_t>(standing)});
  std::string members = R"(,"output_index":)";
  append_number(members, open_->index);
  tell(out, "response.output_item.added",
       members.append(R"(,"item":)").append(item_json("in_progress", "")));
}

void ResponseFold::open_part(std::string& out, PartKind part) {
  const auto kind = part == PartKind::reasoning ? ItemKind::reasoning : ItemKind::message;
  const bool same = open_ && open_->kind == kind;
  if (same && open_->part == part) return;
  if (same) {
    close_part(out);
    open_->parts += content_part(open_->part, open_->said) + ",";
    open_->said.clear();
    ++open_->part_index;
  }
  open_item(out, kind);
  open_->part = part;
  tell(out, "response.content_part.added",
       place_of_part() + R"(,"part":)" + content_part(part, ""));
}

void ResponseFold::close_part(std::string& out) {
  const auto words = words_of(open_->part);
  const std::string place = place_of_part();
  std::string members = place + ",\"";
  members.append(words.member).append("\":\"").append(open_->said).append("\"");
  if (open_->part == PartKind::text) members += R"(,"logprobs":[])";
  tell(out, "response." + std::string(words.events) + ".done", members);
  tell(out, "response.content_part.done",
       place + R"(,"part":)" + content_part(open_->part, open_->said));
}

/// `valid`: it is a part of the answer.
void ResponseFold::close(std::string& out, std::string_view status, bool valid) {
  if (!open_) return;
  close_part(out);
  std::string item = item_json(status, open_->parts + content_part(open_->part, open_->said));
  std::string members = R"(,"output_index":)";
  append_number(members, open_->index);
  tell(out, "response.output_item.done", members + R"(,"item":)" + item);
  const Seq last = marks_.empty() ? 0 : marks_.back().seq;
  if (valid) closed_.push_back({last, std::move(item), open_->kind == ItemKind::message});
  open_.reset();
}

std::string ResponseFold::output() const {
  std::string items;
  for (const auto& item : closed_) items.append(items.empty() ? "" : ",").append(item.json);
  return items;
}

// --- what is said

void ResponseFold::say(std::string& out, PartKind part, std::string_view piece, Seq seq) {
  if (piece.empty()) return;
  open_part(out, part);
  std::string members = place_of_part().append(R"(,"delta":")").append(piece).append("\"");
  if (part == PartKind::text) members += R"(,"logprobs":[])";
  tell(out, "response." + std::string(words_of(part).events) + ".delta", members);
  open_->said += piece;
  if (part == PartKind::text) text_ += piece;
  if (part == PartKind::reasoning) reasoned_ = true;
  marks_.push_back({seq, text_.size()});
}

void ResponseFold::delta(std::string& out, Seq seq, std::string_view json) {
  if (lost_) return;  // there may be a hole in front of it
  say(out, PartKind::text, text_member(json), seq);
}

void ResponseFold::aside(std::string& out, PartKind part, Seq seq, std::string_view json) {
  if (!lost_) say(out, part, text_member(json), seq);
}

/// One that takes back nothing of what was told changes nothing.
void ResponseFold::rewind(std::string& out, std::string_view json) {
  const Seq to = number_member(json, R"(,"to":)");
  if (to == 0) lost_ = false;
  const bool undoes =
      std::ranges::any_of(closed_, [to](const auto& item) { return item.last > to; });
  if (undoes || (!marks_.empty() && marks_.back().seq > to)) take_back(out, to);
  if (!lost_) jump();
}

/// Closes what came after `to`, and says again what of the text stood before it.
void ResponseFold::take_back(std::string& out, Seq to) {
  std::size_t kept = 0;
  for (const auto& mark : marks_)
    if (mark.seq <= to) kept = mark.text;
  const std::string text = text_.substr(0, kept);
  close(out, "incomplete", false);
  std::erase_if(closed_, [to](const ClosedItem& item) { return item.message || item.last > to; });
  if (closed_.empty()) reasoned_ = false;
  std::erase_if(marks_, [to](const TextMark& mark) { return mark.seq > to; });
  text_.clear();
  say(out, PartKind::text, text, to);
}

void ResponseFold::snapshot(std::string& out, Seq seq, std::string_view json) {
  const bool shortened = !lost_;
  if (shortened) lose_numbers_below(number_member(json, R"(,"upto":)") + behind_snapshot);
  replace(out, text_member(json, R"(","upto":)"), seq);
  jump();
}

/// The whole text so far: what was told is how it begins, or was wrong.
void ResponseFold::replace(std::string& out, std::string_view whole, Seq seq) {
  lost_ = false;
  if (!whole.starts_with(text_)) take_back(out, 0);
  say(out, PartKind::text, whole.substr(text_.size()), seq);
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
  const std::string arguments = "\"" + escaped(call.arguments) + "\"";
  tell(out, "response.output_item.added",
       index + R"(,"item":)" + call_item(name, "in_progress", call, ""));
  if (!call.arguments.empty())
    tell(out, "response.function_call_arguments.delta", place + R"(,"delta":)" + arguments);
  tell(out, "response.function_call_arguments.done",
       place + R"(,"name":")" + escaped(call.name) + R"(","arguments":)" + arguments);
  std::string item = call_item(name, "completed", call, call.arguments);
  tell(out, "response.output_item.done", index + R"(,"item":)" + item);
  closed_.push_back({.json = std::move(item)});
}

// --- the end

void ResponseFold::done(std::string& out, std::string_view json) {
  thread_local dom::parser parser;
  dom::element event;
  dom::element result;
  if (parser.parse(json.data(), json.size()).get(event) || event["result"].get(result)) return;
  std::string_view text;
  std::string_view reason;
  std::string_view model;
  (void)result["text"].get(text);
  (void)result["finish_reason"].get(reason);
  (void)result["model"].get(model);
  const Asides asides = read_asides(simdjson::minify(result));
  const bool untold = lost_ && items_ == 0;
  if (untold) say(out, PartKind::reasoning, escaped(asides.reasoning), 0);
  if (lost_) replace(out, escaped(text), 0);
  if (untold) say(out, PartKind::refusal, escaped(asides.refusal), 0);
  jump();
  dom::element calls;
  if (calls_ == 0 && !result["tool_calls"].get(calls))
    for (const auto call : calls.get_array()) tool_call(out, simdjson::minify(call));
  started(out);
  const auto finished = finished_as(reason);
  // A call makes an answer, and so does a refusal; reasoning alone does not.
  if (calls_ == 0 && asides.refusal.empty()) open_part(out, PartKind::text);
  close(out, finished.status, true);
  if (!reasoned_ && !asides.reasoning.empty()) {
    const ItemName name{.kind = ItemKind::reasoning, .job = head_.id};
    closed_.insert(
        closed_.begin(),
        {.json = reasoning_item(to_string(name), "completed",
                                content_part(PartKind::reasoning, escaped(asides.reasoning)))});
  }
  over_ = true;
  const std::string items = output();
  tell_response(out, "response." + std::string(finished.status),
                {.status = finished.status,
                 .incomplete = finished.incomplete,
                 .model = model,
                 .output = items,
                 .usage = raw_member(json, event, "usage")});
}

/// A cancel is told as an end that is incomplete: SDKs know no other event for it, and the
/// response itself says `cancelled`.
void ResponseFold::end_without_answer(std::string& out, std::string_view type,
                                      std::string_view json) {
  jump();
  close(out, "incomplete", true);
  over_ = true;
  const std::string items = output();
  if (type == "cancelled")
    return tell_response(out, "response.incomplete", {.status = "cancelled", .output = items});
  tell_response(out, "response.failed",
                {.status = "failed", .output = items, .error = failure_told(type, json)});
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
