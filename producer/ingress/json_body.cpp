#include "producer/ingress/json_body.h"

#include <cmath>

#include "producer/ingress/refusal.h"
#include "shared/contract/any_json.h"
#include "shared/runtime/limits.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;

/// Some editors and shells put it in front; RFC 8259 lets a reader skip it.
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// A parser holds up to some twelve times its longest text: one for longer texts goes with them.
constexpr std::size_t kept_parser_bytes_max = 512 * 1024;

Problem not_json(simdjson::error_code error) {
  if (error == simdjson::DEPTH_ERROR)
    return make_problem("invalid_json", "body",
                        "The JSON is nested too deeply; at most 64 levels are allowed.");
  if (error == simdjson::UTF8_ERROR)
    return make_problem("invalid_json", "body", "The body is not valid UTF-8; send UTF-8.");
  if (error == simdjson::STRING_ERROR)
    return make_problem("invalid_json", "body",
                        "A string of the body has an escape that stands for no character, such as "
                        "half of a surrogate pair (\\ud800 without \\udc00 behind it).");
  return make_problem(
      "invalid_json", "body",
      std::string("The body must be one JSON object: ") + simdjson::error_message(error));
}

}  // namespace

JsonBody::JsonBody(std::string_view text) : text_(text) {
  if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
}

std::expected<dom::object, Problem> JsonBody::object(std::string_view wants) {
  thread_local dom::parser kept;
  dom::parser& parser = text_.size() > kept_parser_bytes_max ? once_ : kept;
  if (parser.capacity() == 0) {
    const auto error = parser.allocate(4096, limits::json_depth_max);
    if (error) return std::unexpected(not_json(error));
  }
  dom::element root;
  if (const auto error = parse_any_json(parser, text_, root))
    return std::unexpected(not_json(error));
  dom::object object;
  if (root.get(object))
    return std::unexpected(make_problem(
        "invalid_json", "body", "The body must be a JSON object" + std::string(wants) + "."));
  return object;
}

std::optional<std::int64_t> whole_number(dom::element value) {
  std::int64_t whole = 0;
  if (!value.get(whole)) return whole;
  constexpr double exact_max = 9007199254740992;  // 2^53: above it, which one was meant is a guess
  double number = 0;
  if (value.get(number) || std::abs(number) > exact_max) return std::nullopt;
  whole = static_cast<std::int64_t>(number);
  return static_cast<double>(whole) == number ? std::optional(whole) : std::nullopt;
}

Problem not_known(std::string field, std::string_view name, std::string_view allowed) {
  return make_problem(
      "unknown_field", std::move(field),
      "The field " + quoted(name) + " is not known; allowed: " + std::string(allowed) + ".");
}

Problem given_twice(std::string field, std::string_view name) {
  return make_problem("duplicate_field", std::move(field),
                      "The field " + quoted(name) + " is given twice; give it once.");
}

}  // namespace millrace
