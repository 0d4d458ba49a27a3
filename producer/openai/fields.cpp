#include "producer/openai/fields.h"

#include "producer/ingress/json_body.h"
#include "producer/ingress/limits.h"
#include "producer/ingress/message_list.h"
#include "producer/ingress/refusal.h"
#include "producer/openai/error_shape.h"
#include "shared/runtime/json_text.h"

namespace millrace::openai {

namespace dom = simdjson::dom;

Fault Draft::invalid(std::string_view detail) const {
  return make_problem("invalid_field", std::string(name),
                      "`" + std::string(name) + "` " + std::string(detail));
}

Fault Draft::invalid(std::string_view below, std::string_view detail) const {
  return make_problem("invalid_field", std::string(name) + "." + std::string(below),
                      "`" + std::string(below) + "` " + std::string(detail));
}

Fault Draft::not_supported(std::string_view detail) const {
  return make_problem("not_supported", std::string(name),
                      "`" + std::string(name) + "` " + std::string(detail));
}

Fault Draft::pass() {
  pass_as(name, one_line(raw));
  return {};
}

void Draft::pass_as(std::string_view as, std::string_view json) {
  std::string& params = asked.job.params;
  params += params.empty() ? '{' : ',';
  append_json_string(params, as);
  params.append(":").append(json);
}

Problem unknown_field(std::string_view name) {
  return make_problem("unknown_field", name.empty() ? "body" : std::string(cut_utf8(name, 100)),
                      "The field " + quoted(name) +
                          " is not known here, and so cannot be passed on. Leave it out, or set it "
                          "in the model's server.");
}

Problem repeated_field(std::string_view name) {
  return given_twice(std::string(name), name);
}

Fault check_once(const Draft& draft, dom::element value) {
  const auto twice = duplicate_member(value);
  if (!twice) return {};
  return make_problem(
      "duplicate_field", param_of("/" + std::string(draft.name) + *twice),
      "A member of `" + std::string(draft.name) + "` is given twice; give each name once.");
}

Fault check_params(const Job& job) {
  if (job.params.size() <= ingress_limits::params_bytes_max) return {};
  return make_problem("too_large", "tools",
                      "`tools` and what else goes to the model beside the messages have " +
                          std::to_string(job.params.size()) +
                          " bytes of JSON; at most 262144 (256 KiB) are allowed.");
}

// --- what this program itself has to know

Fault read_flag(Draft& draft, dom::element value, bool& into) {
  if (value.get(into)) return draft.invalid("must be true or false.");
  return {};
}

Fault read_model(Draft& draft, dom::element value) {
  std::string_view model;
  const auto control = [](char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f; };
  if (value.get(model) || model.empty() || model.size() > limits::name_bytes_max ||
      std::ranges::any_of(model, control))
    return draft.invalid("must be a string of 1 to 200 bytes without control characters.");
  draft.asked.job.model = model;
  return {};
}

Fault read_stream(Draft& draft, dom::element value) {
  return read_flag(draft, value, draft.asked.stream);
}

Fault read_limit(Draft& draft, dom::element value) {
  const auto count = whole_number(value).value_or(0);
  if (count < 1 || count > ingress_limits::max_tokens_max)
    return draft.invalid(
        "must be a whole number from 1 to 131072; leave it out for the model's own limit.");
  Job& job = draft.asked.job;
  if (job.max_tokens)
    return draft.invalid("and the other limit of tokens must not be given both: send one.");
  job.max_tokens = static_cast<std::uint32_t>(count);
  job.max_completion_tokens = draft.name == "max_completion_tokens";
  return {};
}

Fault read_temperature(Draft& draft, dom::element value) {
  double temperature = 0;
  if (value.get(temperature) || temperature < 0 || temperature > ingress_limits::temperature_max)
    return draft.invalid("must be a number from 0 to 2.");
  draft.asked.job.temperature = temperature;
  return {};
}

namespace {

Fault read_on_leave(Draft& draft, dom::element value) {
  std::string_view word;
  const bool text = !value.get(word);
  if (!text || (word != "cancel" && word != "continue"))
    return draft.invalid("millrace_on_disconnect", R"(must be "cancel" or "continue".)");
  draft.asked.on_leave = word == "cancel" ? OnLeave::cancel : OnLeave::go_on;
  return {};
}

}  // namespace

namespace {

// As OpenAI has them.
constexpr std::size_t metadata_pairs_max = 16;
constexpr std::size_t metadata_key_characters_max = 64;
constexpr std::size_t metadata_value_characters_max = 512;

/// Of valid UTF-8.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

Fault read_metadata(Draft& draft, dom::element value) {
  dom::object metadata;
  if (value.get(metadata)) return draft.invalid("must be an object of strings.");
  if (draft.raw.size() > limits::metadata_bytes_max)
    return make_problem("too_large", "metadata",
                        "`metadata` has more than 16384 bytes (16 KiB) of JSON.");
  std::size_t pairs = 0;
  for (const auto [name, member] : metadata) {
    ++pairs;
    if (name == "millrace_on_disconnect") {
      if (auto fault = read_on_leave(draft, member)) return fault;
      continue;
    }
    std::string_view text;
    if (characters(name) > metadata_key_characters_max)
      return draft.invalid("has a name of " + std::to_string(characters(name)) +
                           " characters; at most 64 are allowed.");
    if (member.get(text))
      return draft.invalid(name, "must be a string, as every member of `metadata`.");
    if (characters(text) > metadata_value_characters_max)
      return draft.invalid(name, "has " + std::to_string(characters(text)) +
                                     " characters; at most 512 are allowed.");
  }
  if (pairs > metadata_pairs_max)
    return draft.invalid("has " + std::to_string(pairs) + " members; at most 16 are allowed.");
  if (auto fault = check_once(draft, value)) return fault;
  draft.asked.job.metadata = one_line(draft.raw);
  return {};
}

// --- what goes on to the model's server

Fault pass_as_is(Draft& draft, dom::element) {
  return draft.pass();
}

Fault pass_flag(Draft& draft, dom::element value) {
  bool flag = false;
  if (auto fault = read_flag(draft, value, flag)) return fault;
  return draft.pass();
}

Fault pass_text(Draft& draft, dom::element value) {
  if (!value.is_string()) return draft.invalid("must be a string.");
  return draft.pass();
}

Fault check_word(const Draft& draft, std::string_view name, dom::element value, Words words) {
  std::string_view word;
  const bool known = !value.get(word) && std::ranges::find(words, word) != words.end();
  if (known) return {};
  std::string allowed;
  for (const auto one : words)
    allowed.append(allowed.empty() ? "\"" : ", \"").append(one).append("\"");
  const std::string detail = "must be one of " + allowed + ".";
  return name == draft.name ? draft.invalid(detail) : draft.invalid(name, detail);
}

Fault pass_effort(Draft& draft, dom::element value) {
  if (auto fault = check_word(draft, draft.name, value, effort_words)) return fault;
  return draft.pass();
}

Fault pass_verbosity(Draft& draft, dom::element value) {
  if (auto fault = check_word(draft, draft.name, value, verbosity_words)) return fault;
  return draft.pass();
}

Fault pass_service_tier(Draft& draft, dom::element value) {
  if (auto fault = check_word(draft, draft.name, value, service_tier_words)) return fault;
  return draft.pass();
}

Fault pass_cache_retention(Draft& draft, dom::element value) {
  if (auto fault = check_word(draft, draft.name, value, cache_retention_words)) return fault;
  return draft.pass();
}

Fault pass_object(Draft& draft, dom::element value) {
  if (!value.is_object()) return draft.invalid("must be an object.");
  return draft.pass();
}

Fault pass_whole_number(Draft& draft, dom::element value) {
  const bool large = value.is_uint64();
  if (!large && !whole_number(value)) return draft.invalid("must be a whole number.");
  return draft.pass();
}

Fault pass_number(Draft& draft, dom::element value) {
  if (!value.is_number()) return draft.invalid("must be a number.");
  return draft.pass();
}

Fault pass_share(Draft& draft, dom::element value) {
  double share = 0;
  if (value.get(share) || share < 0 || share > 1)
    return draft.invalid("must be a number from 0 to 1.");
  return draft.pass();
}

// --- what changes no answer, and what cannot be served

Fault ignore(Draft&, dom::element) {
  return {};
}

Fault only_false(Draft& draft, dom::element value) {
  bool flag = true;
  if (!value.get(flag) && !flag) return {};
  return draft.not_supported("is not supported; leave it out.");
}

Fault only_zero(Draft& draft, dom::element value) {
  if (whole_number(value) == 0) return {};
  return draft.not_supported("is not supported; leave it out.");
}

Fault never(Draft& draft, dom::element) {
  return draft.not_supported("is not supported; leave it out.");
}

}  // namespace millrace::openai
