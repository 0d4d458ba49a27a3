#include "ops/cli/watch_job.h"

#include <unistd.h>

#include <array>
#include <csignal>

#include "ops/cli/follow.h"
#include "ops/cli/job_text.h"
#include "shared/runtime/percent_encoded.h"

namespace millrace::cli {
namespace {

constexpr int left_by_ctrl_c = 128 + SIGINT;

/// The process has nothing to put away: the edge sees the connection close.
void leave_on_ctrl_c() {
  std::signal(SIGINT, [](int) {
    constexpr std::string_view words = "\nleft; what was submitted goes on\n";
    if (isatty(STDERR_FILENO) == 1) {
      [[maybe_unused]] const auto told = ::write(STDERR_FILENO, words.data(), words.size());
    }
    ::_exit(left_by_ctrl_c);
  });
}

Exit not_followed(const Followed& followed, Screen& screen, const Edge& edge) {
  screen.error(reason(followed.answer, edge.url()));
  return exit_of(followed.answer);
}

}  // namespace

Exit watch_job(Edge& edge, Screen& screen, const std::string& id, EventPrinter::Text text) {
  leave_on_ctrl_c();
  EventPrinter printer(screen, text);
  const auto followed =
      follow(edge, "/v1/jobs/" + percent_encoded(id) + "/events", [&](const SseEvent& event) {
        printer.take(event);
        return !printer.last_end().empty();
      });
  if (!followed.ended) return not_followed(followed, screen, edge);
  return exit_of_status(printer.last_end()).value_or(Exit::succeeded);
}

Exit watch_session(Edge& edge, Screen& screen, const std::string& session) {
  leave_on_ctrl_c();
  EventPrinter printer(screen, EventPrinter::Text::as_it_comes);
  screen.note(Ink::dim, "jobs of session " + session + " as they come; Ctrl-C leaves");
  const auto followed = follow(edge, "/v1/sessions/" + percent_encoded(session) + "/events",
                               [&](const SseEvent& event) {
                                 printer.take(event);
                                 return false;
                               });
  return followed.ended ? Exit::succeeded : not_followed(followed, screen, edge);
}

}  // namespace millrace::cli
