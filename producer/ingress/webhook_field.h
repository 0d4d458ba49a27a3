#pragma once
#include <simdjson.h>

#include <expected>

#include "shared/contract/problem.h"
#include "shared/contract/webhook.h"
#include "shared/outbound/guard.h"

namespace millrace {

/// Reads `webhook`: a URL that `guard` has nothing against, or `{"url","events"}` with one. A
/// problem names the member.
std::expected<Webhook, Problem> read_webhook(simdjson::dom::element value,
                                             const outbound::Guard& guard);

}  // namespace millrace
