#pragma once
#include <string_view>

#include "producer/ingress/refusal.h"
#include "shared/http/message.h"
#include "shared/runtime/error.h"

namespace millrace::conversations {

/// True for the paths whose errors have this shape.
bool serves(std::string_view path);

/// An error as the conversation routes tell it: `{"detail":"…"}`.
http::Response detail_response(int status, std::string_view detail);
/// The same of a native refusal: its sentence, led by the field that is at fault, and Retry-After.
http::Response detail_response(const Refusal& refusal);

/// 404 `Session {id} not found`: unknown, expired and another tenant's alike.
http::Response no_such_session(std::string_view id);
/// What the Store could not do.
http::Response store_failed(Errc error);

}  // namespace millrace::conversations
