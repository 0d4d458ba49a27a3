#include "shared/contract/answer_note.h"

#include <simdjson.h>

#include <algorithm>
#include <vector>

#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

std::string names_of(const std::vector<ToolCall>& calls) {
  std::vector<std::string_view> names;
  for (const auto& call : calls)
    if (std::ranges::find(names, call.name) == names.end()) names.push_back(call.name);
  std::string json = "[";
  for (const auto name : names) {
    if (json.size() > 1) json += ',';
    append_json_string(json, name);
  }
  return json += ']';
}

std::string cost_of(const Outcome& outcome, const ModelPrices& prices) {
  simdjson::dom::parser parser;
  simdjson::dom::element usage;
  std::uint64_t prompt = 0;
  std::uint64_t completion = 0;
  if (outcome.usage.empty() || parser.parse(outcome.usage).get(usage) ||
      usage["prompt_tokens"].get(prompt) || usage["completion_tokens"].get(completion))
    return {};
  return prices.cost(outcome.model, prompt, completion).value_or("");
}

}  // namespace

AnswerNote note_answer(const Outcome& outcome, const ModelPrices& prices) {
  return {.tools_used = names_of(outcome.tool_calls), .cost = cost_of(outcome, prices)};
}

}  // namespace millrace
