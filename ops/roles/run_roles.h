#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "ops/roles/loop.h"

namespace millrace {

/// Makes a role on the loop of its thread; called there.
using MakeRole = std::function<std::unique_ptr<Role>(Loop&)>;

/// Runs each role on a thread and a loop of its own until all have ended. SIGTERM or SIGINT drains
/// them, a second one ends the process at once, a role that throws drains the others.
/// Returns the exit code: 0, or 1 when a role failed (its reason is on stderr).
int run_roles(const std::vector<MakeRole>& roles);

}  // namespace millrace
