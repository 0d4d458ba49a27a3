#pragma once
#include <string>

#include "ops/cli/edge.h"
#include "ops/cli/event_printer.h"
#include "ops/cli/screen.h"

namespace millrace::cli {

/// Shows a job's events to its end, which is the exit code. Ctrl-C leaves, and leaves the job
/// alone.
Exit watch_job(Edge& edge, Screen& screen, const std::string& id, EventPrinter::Text text);

/// The same for the jobs of a session, those that come later too: until Ctrl-C.
Exit watch_session(Edge& edge, Screen& screen, const std::string& session);

}  // namespace millrace::cli
