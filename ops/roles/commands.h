#pragma once
#include <string>

#include "shared/runtime/config.h"

namespace millrace {

// What each command of the program does; the result is the exit code. They throw
// std::exception with a sentence for the person who started them when they cannot begin.

int run_edge(const Config& config);
int run_worker(const Config& config);
int run_llm_sim(const Config& config);
int run_migrate(const Config& config);
/// Sends dead letters again: the one of job `id`, or all when it is empty.
int redrive_jobs(const Config& config, const std::string& id);

// What they ask of the configuration; each throws std::invalid_argument with the remedy.

void require_servers(const Config& config);
/// Without keys only loopback may be listened on, unless `AUTH=off` says otherwise.
void refuse_public_address(const Config& config);

}  // namespace millrace
