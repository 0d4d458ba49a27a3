#pragma once
#include <simdjson.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "shared/contract/problem.h"

namespace millrace {

/// A request's body, read as one JSON object. What it gives are views into it and into a parser
/// that the thread keeps: at most one of these at a time on a thread, and none across an await.
class JsonBody {
 public:
  explicit JsonBody(std::string_view text);

  /// `invalid_json` for anything else, for bytes that are no UTF-8, and for more than
  /// `limits::json_depth_max` levels. `wants` completes "The body must be a JSON object".
  std::expected<simdjson::dom::object, Problem> object(std::string_view wants);
  /// What was read, without a byte order mark.
  std::string_view text() const { return text_; }

 private:
  std::string_view text_;
  simdjson::dom::parser once_;
};

/// A number without a fraction, however it is written: `372.0` is one, as JSON Schema has it.
std::optional<std::int64_t> whole_number(simdjson::dom::element value);

/// The field `name`, of a body or of an object in it, is none of `allowed` (`id, after`).
Problem not_known(std::string field, std::string_view name, std::string_view allowed);
/// The field `name` of a body is given twice.
Problem given_twice(std::string field, std::string_view name);

}  // namespace millrace
