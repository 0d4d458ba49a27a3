#include "producer/openai/kept_responses.h"

#include <algorithm>

#include "producer/ingress/job_view.h"
#include "producer/ingress/limits.h"
#include "producer/openai/stored_items.h"
#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

/// Each may be a response of its own to look up.
constexpr std::ptrdiff_t references_max = 1000;

Refusal no_such_response(std::string_view name) {
  return refuse("response_not_found", "",
                "Response with id '" + std::string(cut_utf8(name, 100)) + "' not found.");
}

Refusal no_such_previous(std::string_view name) {
  return refuse("previous_response_not_found", "previous_response_id",
                "Previous response with id '" + std::string(cut_utf8(name, 100)) + "' not found.");
}

Refusal no_such_item(std::string_view name) {
  return refuse("item_not_found", "input",
                "Item with id '" + std::string(cut_utf8(name, 100)) +
                    "' not found. Items are not kept where `store` is false.");
}

Refusal not_answered(const KeptResponse& previous) {
  const bool live = !terminal(previous.row.state);
  return refuse("invalid_field", "previous_response_id",
                "`previous_response_id` names a response that " +
                    std::string(live ? "has not ended" : "has no answer") +
                    "; allowed is one that is completed or incomplete.");
}

Refusal input_unreadable(Errc error) {
  if (error == Errc::corrupt || error == Errc::not_found)
    return refuse("response_not_found", "", "The input of this response is not kept any more.");
  return refuse_for_now("objects_unavailable", "",
                        "The input of this response is in the object store, which is away now. Try "
                        "again after the time in Retry-After.",
                        ingress_limits::retry_after_outage);
}

Refusal too_many_inputs() {
  return refuse_for_now("overloaded", "",
                        "Too many large inputs are being read. Try again after the time in "
                        "Retry-After.",
                        ingress_limits::retry_after_overload);
}

/// Takes what was promised and no byte more; counts it while it is held.
class InputText final : public ByteSink {
 public:
  InputText(std::uint64_t size, std::size_t& held) : size_(size), held_(held) { held_ += size_; }
  ~InputText() override { held_ -= size_; }
  InputText(const InputText&) = delete;
  InputText& operator=(const InputText&) = delete;

  Task<Result<>> write(std::string piece) override {
    if (text_.size() + piece.size() > size_) co_return Failure(Errc::corrupt);
    text_ += piece;
    co_return Result<>();
  }
  std::string take() { return std::move(text_); }

 private:
  std::uint64_t size_;
  std::size_t& held_;
  std::string text_;
};

bool counts_as_message(const InputItem& item) {
  return item.kind == InputItem::Kind::message;
}

/// The item of that name among those of its job; null when there is none.
const InputItem* item_named(const ItemName& name, const InputItems& given,
                            const InputItems& answer) {
  if (name.input) return name.place < given.size() ? &given[name.place] : nullptr;
  // There is one message; earlier versions named one that was begun anew by another place.
  const bool message = name.kind == ItemKind::message;
  std::uint64_t place = 0;
  for (const auto& item : answer) {
    if (counts_as_message(item) != message) continue;
    if (message || place++ == name.place) return &item;
  }
  return nullptr;
}

}  // namespace

// --- one response

/// A job that was accepted a moment ago, maybe by another edge, may have no row yet.
Task<std::string> KeptResponses::envelope_of(std::string tenant, JobId id) {
  const Instant deadline = parts_.clock.now() + ingress_limits::note_wait_max;
  for (;;) {
    const auto row = co_await parts_.store.find_noted(id);
    if (row && row->tenant == tenant) co_return row->envelope;
    if (parts_.clock.now() >= deadline) co_return std::string();
    co_await parts_.clock.sleep_for(ingress_limits::note_look_every);
  }
}

Task<KeptResponses::Found<KeptResponse>> KeptResponses::find(std::string tenant, std::string name) {
  const auto id = job_of_response(name);
  if (!id) co_return std::unexpected(no_such_response(name));
  auto row = co_await parts_.lookup.find(tenant, *id);
  if (!row && row.error().problem.code == "job_not_found")
    co_return std::unexpected(no_such_response(name));
  if (!row) co_return std::unexpected(row.error());
  if (row->envelope.empty()) {
    auto envelope = co_await envelope_of(tenant, *id);
    if (envelope.empty()) co_return std::unexpected(store_away());
    row->envelope = std::move(envelope);
  }
  Job job = job_of(*row);
  auto head = response_head(job);
  if (!head || !head->stored) co_return std::unexpected(no_such_response(name));
  co_return KeptResponse{std::move(*row), std::move(job), std::move(*head)};
}

Task<KeptResponses::Found<std::string>> KeptResponses::whole_input(Job job) {
  if (!job.input_ref) co_return std::move(job.input);
  const InputRef ref = *job.input_ref;
  if (input_bytes_ + ref.size > ingress_limits::oversize_inputs_bytes_max)
    co_return std::unexpected(too_many_inputs());
  InputText text(ref.size, input_bytes_);
  const auto got = co_await parts_.objects.get({job.tenant, ref.key}, {}, text);
  if (!got) co_return std::unexpected(input_unreadable(got.error()));
  if (got->size != ref.size || got->sha256 != ref.sha256)
    co_return std::unexpected(input_unreadable(Errc::corrupt));
  co_return text.take();
}

Task<KeptResponses::Found<InputItems>> KeptResponses::input_of(const Job& job) {
  const std::size_t first = instruction_messages(job);
  const auto messages = co_await whole_input(job);
  if (!messages) co_return std::unexpected(messages.error());
  co_return items_of_messages(*messages, first);
}

// --- what a request refers to

Task<KeptResponses::Found<std::string>> KeptResponses::context_after(std::string tenant,
                                                                     std::string previous) {
  const auto found = co_await find(tenant, previous);
  if (!found && found.error().problem.code == "response_not_found")
    co_return std::unexpected(no_such_previous(previous));
  if (!found) co_return std::unexpected(found.error());
  const bool answered = found->row.state == JobState::succeeded && found->row.outcome;
  if (!answered) co_return std::unexpected(not_answered(*found));
  auto items = co_await input_of(found->job);
  if (!items) co_return std::unexpected(items.error());
  for (auto& item : items_of_outcome(*found->row.outcome)) items->push_back(std::move(item));
  co_return messages_json(*items);
}

Task<std::optional<Refusal>> KeptResponses::resolve(std::string tenant, InputItems& items) {
  const auto refers = [](const InputItem& item) { return item.kind == InputItem::Kind::reference; };
  if (std::ranges::count_if(items, refers) > references_max)
    co_return refuse("invalid_field", "input",
                     "`input` refers to more than 1000 items; send what they hold instead.");
  std::optional<JobId> at_hand;
  InputItems given;
  InputItems answer;
  InputItems resolved;
  for (auto& item : items) {
    if (!refers(item)) {
      resolved.push_back(std::move(item));
      continue;
    }
    const auto name = parse_item_name(item.reference);
    if (!name) co_return no_such_item(item.reference);
    if (name->kind == ItemKind::reasoning) continue;
    if (at_hand != name->job) {
      const auto found = co_await find(tenant, response_id(name->job));
      if (!found && found.error().problem.code == "response_not_found")
        co_return no_such_item(item.reference);
      if (!found) co_return found.error();
      auto input = co_await input_of(found->job);
      if (!input) co_return input.error();
      given = std::move(*input);
      const bool answered = found->row.state == JobState::succeeded && found->row.outcome;
      answer = answered ? items_of_outcome(*found->row.outcome) : InputItems();
      at_hand = name->job;
    }
    const InputItem* meant = item_named(*name, given, answer);
    if (!meant) co_return no_such_item(item.reference);
    resolved.push_back(*meant);
  }
  items = std::move(resolved);
  co_return std::nullopt;
}

Task<std::optional<Refusal>> KeptResponses::complete(std::string tenant, ResponseRequest& request) {
  std::string context;
  if (request.previous) {
    auto before = co_await context_after(tenant, *request.previous);
    if (!before) co_return before.error();
    context = std::move(*before);
  }
  auto unresolved = co_await resolve(tenant, request.input);
  if (unresolved) co_return unresolved;
  give_input(request, context);
  const std::size_t bytes = request.job.input.size();
  if (bytes <= limits::body_bytes_max) co_return std::nullopt;
  co_return refuse("too_large", request.previous ? "previous_response_id" : "input",
                   "The input and what it goes on from have " + std::to_string(bytes) +
                       " bytes of JSON; at most 8388608 (8 MiB) are allowed.");
}

}  // namespace millrace::openai
