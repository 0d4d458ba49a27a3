#pragma once
#include <cstdint>
#include <expected>
#include <string>

#include "producer/ingress/refusal.h"
#include "shared/http/message.h"
#include "shared/runtime/random.h"
#include "shared/runtime/time.h"

namespace millrace::conversations {

/// The metadata of `POST /api/sessions {"metadata"}`: a JSON object on one line; empty when the
/// body, or the member, is left out or null. Other members are refused by name.
std::expected<std::string, Refusal> session_metadata(const http::Request& request);

/// The metadata that `POST /api/session/create {"user_id"}` makes: the body's object as it is.
std::expected<std::string, Refusal> user_metadata(const http::Request& request);

/// `session_<unix>_<random>`: a session's id as clients of `/api/session/create` know it.
std::string user_session_id(WallTime now, Random& random);

/// `?limit=`, from 1 to 1000, 10 by default; any other parameter is refused by name.
std::expected<std::uint32_t, Refusal> message_limit(const http::Request& request);

}  // namespace millrace::conversations
