#pragma once
#include <string>
#include <vector>

#include "shared/webhooks.h"

namespace millrace {

/// `{"id","job","type","url","state","attempts","created_at","next_attempt_at","ended_at",
/// "last_status","last_error"}`; what is not set is null.
std::string delivery_json(const WebhookDelivery& delivery);

/// The same with `history`: `[{"attempt","at","duration_ms","status","error"}]`, newest first.
std::string history_json(const WebhookHistory& history);

/// `{data:[…],has_more,next}` from up to `limit` + 1 deliveries; `next` is what `after` takes.
std::string delivery_list_json(const std::vector<WebhookDelivery>& deliveries, std::size_t limit);

/// `{"secret","previous"}`: what signs now, and what also signs for the rest of a day, or null.
std::string secrets_json(const std::vector<std::string>& secrets);

}  // namespace millrace
