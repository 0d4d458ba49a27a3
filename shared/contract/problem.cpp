#include "shared/contract/problem.h"

#include "shared/runtime/json_text.h"

namespace millrace {

std::string to_json(const Problem& problem) {
  std::string out = R"({"type":"about:blank","title":)";
  append_json_string(out, problem.title);
  out += R"(,"status":)";
  append_number(out, static_cast<std::uint64_t>(problem.status));
  out += R"(,"code":)";
  append_json_string(out, problem.code);
  out += R"(,"detail":)";
  append_json_string(out, problem.detail);
  if (!problem.field.empty()) {
    out += R"(,"field":)";
    append_json_string(out, problem.field);
  }
  out += '}';
  return out;
}

}  // namespace millrace
