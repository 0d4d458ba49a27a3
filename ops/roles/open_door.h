#pragma once
#include "ops/roles/services.h"
#include "shared/runtime/config.h"

namespace millrace {

/// Throws std::invalid_argument, with what to do, where an edge would let everybody in who reaches
/// its address, and others than this host can: neither has a key ever been made, nor does AUTH say
/// that this is wanted. Blocks while it asks the Store; std::runtime_error when that does not
/// answer.
void refuse_open_door(const Config& config, Services& services);

}  // namespace millrace
