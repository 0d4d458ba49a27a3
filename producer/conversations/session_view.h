#pragma once
#include <string>
#include <vector>

#include "shared/sessions.h"

namespace millrace::conversations {

/// `{"session_id","created_at","last_accessed","metadata"}`; times are RFC 3339 UTC, metadata is an
/// object or null.
std::string session_json(const Session& session);

/// `{"session_id","messages":[{"message_id","role","content","created_at","status","token_usage",
/// "job_id"}]}`, oldest first.
std::string messages_json(std::string_view session, const std::vector<Message>& messages);

}  // namespace millrace::conversations
