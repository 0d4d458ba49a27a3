#include "producer/conversations/session_view.h"

#include "shared/runtime/json_text.h"
#include "shared/runtime/time.h"

namespace millrace::conversations {
namespace {

void append_text(std::string& out, std::string_view name, std::string_view text) {
  out.append(name);
  append_json_string(out, text);
}

void append_time(std::string& out, std::string_view name, WallTime when) {
  out.append(name).append("\"");
  append_rfc3339(out, when);
  out += '"';
}

void append_json_or_null(std::string& out, std::string_view name, std::string_view json) {
  out.append(name).append(json.empty() ? "null" : json);
}

void append_message(std::string& out, const Message& message) {
  append_text(out, R"({"message_id":)", message.id);
  append_text(out, R"(,"role":)", message.role);
  append_text(out, R"(,"content":)", message.content);
  append_time(out, R"(,"created_at":)", message.created_at);
  append_text(out, R"(,"status":)", message.status);
  append_json_or_null(out, R"(,"token_usage":)", message.token_usage);
  append_text(out, R"(,"job_id":)", message.job.str());
  out += '}';
}

}  // namespace

std::string session_json(const Session& session) {
  std::string out;
  append_text(out, R"({"session_id":)", session.id);
  append_time(out, R"(,"created_at":)", session.created_at);
  append_time(out, R"(,"last_accessed":)", session.last_accessed);
  append_json_or_null(out, R"(,"metadata":)", session.metadata);
  return out += '}';
}

std::string messages_json(std::string_view session, const std::vector<Message>& messages) {
  std::string out;
  append_text(out, R"({"session_id":)", session);
  out += R"(,"messages":[)";
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i > 0) out += ',';
    append_message(out, messages[i]);
  }
  return out += "]}";
}

}  // namespace millrace::conversations
