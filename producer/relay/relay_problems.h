#pragma once
#include <string_view>

#include "shared/http/message.h"

/// What the relay answers when it has no events to give.
namespace millrace::relay {

http::Response no_such_job(std::string_view id);
http::Response not_a_job_id(std::string_view field, std::string_view text);
http::Response only_streamed();  ///< 406: there are no pages of several jobs
http::Response log_away();       ///< 503 with Retry-After
http::Response nothing_left();   ///< 204: the reader has the terminal event; EventSource stops
http::Response not_a_place(std::string_view field, std::string_view value,
                           std::string_view allowed);
http::Response bad_parameter(std::string_view field, std::string_view detail);
Problem bad_signature(const std::string& id);
Problem expired_signature(const std::string& id);

}  // namespace millrace::relay
