#pragma once
#include <string>

#include "shared/runtime/config.h"

namespace millrace {

// What each command of the program does; the result is the exit code. They throw
// std::exception with a sentence for the person who started them when they cannot begin.

/// Everything in one process: on the servers that are named, or on the data folder alone.
int run_serve(const Config& config);
int run_edge(const Config& config);
int run_worker(const Config& config);
int run_llm_sim(const Config& config);
int run_migrate(const Config& config);
/// Sends dead letters again as new jobs: the one of job `id`, or all when it is empty. One JSON
/// line each on stdout, `{"from","id"}` or `{"partition","offset","sent":"as it was"}`, and
/// `{"sent","skipped"}` last; 1 when `id` has no letter.
int redrive_jobs(const Config& config, const std::string& id);

}  // namespace millrace
