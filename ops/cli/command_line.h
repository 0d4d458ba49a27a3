#pragma once
#include <optional>
#include <string>
#include <vector>

#include "shared/runtime/config.h"

namespace millrace::cli {

/// Sends dead letters of the servers again, without an edge (ops/roles/commands.h).
using RedriveOnServers = int (*)(const Config&, const std::string& id);

/// Runs the words after `millrace` when they name a command a person uses: the exit code. Nothing
/// when they do not. Throws std::invalid_argument for a configuration that does not read.
std::optional<int> run(const std::vector<std::string>& words, RedriveOnServers redrive_on_servers);

}  // namespace millrace::cli
