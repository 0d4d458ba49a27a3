#include "producer/openai/response_ids.h"

#include <array>
#include <charconv>

#include "shared/runtime/json_text.h"

namespace millrace::openai {
namespace {

constexpr std::string_view response_prefix = "resp_";
constexpr std::array<std::string_view, 4> item_prefixes{"msg_", "fc_", "fco_", "rs_"};
constexpr std::size_t job_id_bytes = 36;

}  // namespace

std::string response_id(const JobId& id) {
  std::string name(response_prefix);
  id.append_to(name);
  return name;
}

std::optional<JobId> job_of_response(std::string_view response) {
  if (!response.starts_with(response_prefix)) return std::nullopt;
  return JobId::parse(response.substr(response_prefix.size()));
}

std::string to_string(const ItemName& name) {
  std::string text(item_prefixes[static_cast<std::size_t>(name.kind)]);
  name.job.append_to(text);
  text += name.input ? "_i" : "_";
  append_number(text, name.place);
  return text;
}

std::optional<ItemName> parse_item_name(std::string_view text) {
  ItemName name;
  std::size_t kind = 0;
  while (kind < item_prefixes.size() && !text.starts_with(item_prefixes[kind])) ++kind;
  if (kind == item_prefixes.size()) return std::nullopt;
  name.kind = static_cast<ItemKind>(kind);
  text.remove_prefix(item_prefixes[kind].size());
  const auto job = JobId::parse(text.substr(0, job_id_bytes));
  if (!job || text.size() <= job_id_bytes || text[job_id_bytes] != '_') return std::nullopt;
  name.job = *job;
  text.remove_prefix(job_id_bytes + 1);
  name.input = text.starts_with('i');
  if (name.input) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), name.place);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return name;
}

}  // namespace millrace::openai
