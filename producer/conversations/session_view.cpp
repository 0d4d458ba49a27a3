#include "producer/conversations/session_view.h"

#include "shared/runtime/json_members.h"

namespace millrace::conversations {
namespace {

void append_message(std::string& out, const Message& message) {
  out += '{';
  append_member(out, "message_id", message.id);
  append_member(out, "role", message.role);
  append_member(out, "content", message.content);
  append_member_time(out, "created_at", message.created_at);
  append_member(out, "status", message.status);
  append_member_json(out, "token_usage", message.token_usage);
  append_member(out, "job_id", message.job.str());
  out += '}';
}

}  // namespace

std::string session_json(const Session& session) {
  std::string out = "{";
  append_member(out, "session_id", session.id);
  append_member_time(out, "created_at", session.created_at);
  append_member_time(out, "last_accessed", session.last_accessed);
  append_member_json(out, "metadata", session.metadata);
  return out += '}';
}

std::string messages_json(std::string_view session, const std::vector<Message>& messages) {
  std::string out = "{";
  append_member(out, "session_id", session);
  out += R"(,"messages":[)";
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (i > 0) out += ',';
    append_message(out, messages[i]);
  }
  return out += "]}";
}

}  // namespace millrace::conversations
