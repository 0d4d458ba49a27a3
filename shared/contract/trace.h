#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "shared/runtime/random.h"

namespace millrace {

/// A `traceparent` (W3C Trace Context, level 1) as `00-<trace id>-<parent span>-<flags>`; nothing
/// where it is not one. Of a newer version what version 00 knows of it.
std::optional<std::string> read_traceparent(std::string_view text);

/// The same trace and flags, for a call that is a span of its own. `parent` is as read.
std::string child_traceparent(std::string_view parent, Random& random);

}  // namespace millrace
