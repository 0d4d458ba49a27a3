#pragma once
#include <simdjson.h>

#include <optional>
#include <string>
#include <string_view>

#include "producer/ingress/refusal.h"

namespace millrace::openai {

/// What is wrong with a value of a request's body, or nothing. `param` is its path as OpenAI writes
/// it: `messages[2].content`.
using Fault = std::optional<Problem>;

inline Fault invalid(std::string param, std::string detail) {
  return make_problem("invalid_field", std::move(param), std::move(detail));
}

inline Fault missing(std::string param, std::string detail) {
  return make_problem("missing_field", std::move(param), std::move(detail));
}

inline Fault not_supported(std::string param, std::string detail) {
  return make_problem("not_supported", std::move(param), std::move(detail));
}

/// Absent and null are the same.
inline std::optional<simdjson::dom::element> member(simdjson::dom::object object,
                                                    std::string_view name) {
  simdjson::dom::element found;
  if (object[name].get(found) || found.is_null()) return std::nullopt;
  return found;
}

}  // namespace millrace::openai
