#include "shared/webhooks.h"

namespace millrace {

std::string_view to_string(DeliveryState state) {
  switch (state) {
    case DeliveryState::pending:
      return "pending";
    case DeliveryState::delivered:
      return "delivered";
    case DeliveryState::failed:
      return "failed";
  }
  return "";
}

std::optional<DeliveryState> delivery_state(std::string_view name) {
  for (const auto state : {DeliveryState::pending, DeliveryState::delivered, DeliveryState::failed})
    if (name == to_string(state)) return state;
  return std::nullopt;
}

}  // namespace millrace
