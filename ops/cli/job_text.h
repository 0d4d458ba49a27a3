#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "ops/cli/exit_code.h"
#include "ops/cli/json.h"
#include "ops/cli/screen.h"

namespace millrace::cli {

/// Jobs as a person reads them. `status` is a job's, as the API names it.

Ink ink_of(std::string_view status);
/// Nothing for a job that lives.
std::optional<Exit> exit_of_status(std::string_view status);
/// The status that a terminal event brings; empty for any other event.
std::string_view status_of_event(std::string_view type);

/// One row of a list, as wide as its head.
std::string list_head();
std::string list_row(const Json& job, const Screen& screen);

/// All that is known of a job, a line a fact, the answer last.
std::string whole_job(const Json& job, const Screen& screen);

/// Why a job failed: its error's message and code.
std::string failure_of(const Json& job, std::string_view error_pointer);

/// `41 ms`, `3.2 s`, `4 min 10 s`.
std::string seconds_text(double seconds);

}  // namespace millrace::cli
