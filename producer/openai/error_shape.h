#pragma once
#include <string>
#include <string_view>

#include "producer/ingress/refusal.h"
#include "shared/http/message.h"

/// Errors as OpenAI tells them: `{"error":{"message","type","param","code"}}`. The message is the
/// detail of the native problem, the code is its code.
namespace millrace::openai {

std::string error_json(const Problem& problem);

http::Response error_response(const Problem& problem);
http::Response error_response(const Refusal& refusal);

/// The name of a field as OpenAI writes it: `/messages/0/role` is `messages[0].role`. Other names
/// stay as they are.
std::string param_of(std::string_view field);

/// What the server itself has against a request for that (percent-encoded) path: who asked for
/// one that there is not hears what of OpenAI's API there is.
http::Response path_error(const Problem& problem, std::string_view path);

/// True for a (percent-encoded) path whose errors are told in this shape: those of OpenAI's API,
/// served or not.
bool serves(std::string_view path);

/// Tells a client not to send a request again by itself: OpenAI's SDKs heed it.
void forbid_retry(http::Response& response);

}  // namespace millrace::openai
