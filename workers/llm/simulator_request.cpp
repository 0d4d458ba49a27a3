#include "workers/llm/simulator_request.h"

#include <simdjson.h>

#include "shared/contract/any_json.h"
#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;
using Refused = std::unexpected<SimRefusal>;

Refused refuse(std::string param, std::string message) {
  SimRefusal refusal;
  refusal.message = std::move(message);
  refusal.param = std::move(param);
  return Refused(std::move(refusal));
}

/// Absent and null are the same to OpenAI.
std::optional<dom::element> member(const dom::object& object, std::string_view name) {
  dom::element found;
  if (object[name].get(found) || found.is_null()) return std::nullopt;
  return found;
}

/// The text of a message: a string, the text parts of an array, or nothing (null).
std::expected<std::string, SimRefusal> content_of(const dom::object& message,
                                                  const std::string& param) {
  const auto content = member(message, "content");
  if (!content) return std::string();
  std::string_view text;
  if (!content->get(text)) return std::string(text);
  dom::array parts;
  if (content->get(parts))
    return refuse(param, "'" + param + "' must be a string or an array of content parts.");
  std::string joined;
  for (const dom::element part : parts) {
    if (part["type"].get(text))
      return refuse(param, "Every content part in '" + param + "' needs a 'type'.");
    if (text == "text" && !part["text"].get(text)) joined += text;
  }
  return joined;
}

std::expected<void, SimRefusal> take_message(SimRequest& request, const dom::element& element,
                                             std::size_t index, bool last) {
  const std::string param = "messages[" + std::to_string(index) + "]";
  dom::object message;
  std::string_view role;
  if (element.get(message)) return refuse(param, "'" + param + "' must be an object.");
  if (message["role"].get(role))
    return refuse(param + ".role", "'" + param +
                                       ".role' must be a string: system, developer, "
                                       "user, assistant, tool or function.");
  for (const std::string_view known :
       {"system", "developer", "user", "assistant", "tool", "function", ""}) {
    if (known == role && !known.empty()) break;
    if (known.empty())
      return refuse(param + ".role", "Invalid value: '" + std::string(role) +
                                         "'. Supported values are: 'system', 'developer', 'user', "
                                         "'assistant', 'tool' and 'function'.");
  }
  auto content = content_of(message, param + ".content");
  if (!content) return Refused(content.error());
  if (last && role == "assistant") {
    request.prefix = std::move(*content);
    return {};
  }
  if (role == "user") request.question = *content;
  request.prompt.append(role).append("\n").append(*content).append("\n");
  return {};
}

std::expected<void, SimRefusal> take_messages(SimRequest& request, const dom::object& body) {
  const auto found = member(body, "messages");
  if (!found) return refuse("messages", "Missing required parameter: 'messages'.");
  dom::array messages;
  if (found->get(messages)) return refuse("messages", "'messages' must be an array.");
  if (messages.size() == 0)
    return refuse("messages", "'messages' is empty: at least one message is needed.");
  std::size_t index = 0;
  for (const dom::element element : messages) {
    const bool last = index + 1 == messages.size();
    if (const auto taken = take_message(request, element, index, last); !taken) return taken;
    ++index;
  }
  return {};
}

std::expected<void, SimRefusal> take_flag(bool& flag, const dom::object& body,
                                          const std::string& name) {
  const auto found = member(body, name);
  if (found && found->get(flag)) return refuse(name, "'" + name + "' must be a boolean.");
  return {};
}

std::expected<void, SimRefusal> take_limit(SimRequest& request, const dom::object& body,
                                           const std::string& name) {
  const auto found = member(body, name);
  if (!found) return {};
  std::int64_t limit = 0;
  if (found->get(limit) || limit < 1 || limit > UINT32_MAX)
    return refuse(name, "'" + name + "' must be an integer of at least 1.");
  request.max_tokens = static_cast<std::uint32_t>(limit);
  return {};
}

std::expected<void, SimRefusal> take_stream_options(SimRequest& request, const dom::object& body) {
  const auto found = member(body, "stream_options");
  if (!found) return {};
  dom::object options;
  if (found->get(options)) return refuse("stream_options", "'stream_options' must be an object.");
  if (!request.stream)
    return refuse("stream_options", "'stream_options' is only allowed when 'stream' is true.");
  const auto usage = member(options, "include_usage");
  if (usage && usage->get(request.include_usage))
    return refuse("stream_options.include_usage",
                  "'stream_options.include_usage' must be a boolean.");
  return {};
}

std::expected<void, SimRefusal> take_stop(SimRequest& request, const dom::object& body) {
  const auto found = member(body, "stop");
  if (!found) return {};
  std::string_view text;
  dom::array list;
  if (!found->get(text)) {
    request.stop.emplace_back(text);
  } else if (!found->get(list)) {
    for (const dom::element each : list)
      if (!each.get(text)) request.stop.emplace_back(text);
  } else {
    return refuse("stop", "'stop' must be a string or an array of strings.");
  }
  return {};
}

/// A client that sends a tool's answer wants words.
bool tool_has_answered(const dom::object& body) {
  dom::array messages;
  std::string_view role;
  if (body["messages"].get(messages) || messages.size() == 0) return false;
  return !messages.at(messages.size() - 1)["role"].get(role) && role == "tool";
}

std::expected<void, SimRefusal> check_numbers(const dom::object& body) {
  double temperature = 1;
  if (const auto found = member(body, "temperature");
      found && (found->get(temperature) || temperature < 0 || temperature > 2))
    return refuse("temperature", "'temperature' must be a number from 0 to 2.");
  std::int64_t choices = 1;
  if (const auto found = member(body, "n"); found && (found->get(choices) || choices != 1))
    return refuse("n", "'n' must be 1: the simulator gives one choice.");
  return {};
}

}  // namespace

std::uint32_t SimRequest::prompt_tokens() const {
  return static_cast<std::uint32_t>((prompt.size() + prefix.size()) / 4 + 1);
}

std::string to_json(const SimRefusal& refusal) {
  std::string out = R"({"error":{"message":)";
  append_json_string(out, refusal.message);
  out.append(R"(,"type":")").append(refusal.type).append(R"(","param":)");
  if (refusal.param.empty())
    out += "null";
  else
    append_json_string(out, refusal.param);
  out += R"(,"code":)";
  if (refusal.code.empty())
    out += "null";
  else
    append_json_string(out, refusal.code);
  return out += "}}";
}

std::expected<SimRequest, SimRefusal> read_sim_request(std::string_view body) {
  dom::parser parser;
  dom::element root;
  if (parse_any_json(parser, body, root))
    return refuse("", "The body of the request is not valid JSON.");
  dom::object object;
  if (root.get(object)) return refuse("", "The body of the request must be a JSON object.");
  SimRequest request;
  const auto model = member(object, "model");
  if (!model) return refuse("model", "Missing required parameter: 'model'.");
  std::string_view name;
  if (model->get(name) || name.empty())
    return refuse("model", "'model' must be a non-empty string.");
  request.model = name;
  if (const auto taken = take_messages(request, object); !taken) return Refused(taken.error());
  if (const auto taken = take_flag(request.stream, object, "stream"); !taken)
    return Refused(taken.error());
  for (const char* limit : {"max_tokens", "max_completion_tokens"})
    if (const auto taken = take_limit(request, object, limit); !taken)
      return Refused(taken.error());
  if (const auto taken = take_stream_options(request, object); !taken)
    return Refused(taken.error());
  if (const auto taken = take_stop(request, object); !taken) return Refused(taken.error());
  if (!tool_has_answered(object)) request.tools = callable_tools(root);
  if (const auto checked = check_numbers(object); !checked) return Refused(checked.error());
  return request;
}

}  // namespace millrace
