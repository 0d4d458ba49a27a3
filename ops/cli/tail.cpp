#include "ops/cli/command.h"
#include "ops/cli/commands.h"
#include "ops/cli/json.h"
#include "ops/cli/watch_job.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/percent_encoded.h"

namespace millrace::cli {
namespace {

bool session_has_jobs(Edge& edge, const std::string& session) {
  const auto answer = edge.get("/v1/jobs?limit=1&session=" + percent_encoded(session));
  return good(answer) && !Json(answer.body).list("/data").empty();
}

/// A job's id is tried as such; a session may be named alike.
Exit watch(Edge& edge, Screen& screen, const std::string& name, bool is_session) {
  if (is_session) return watch_session(edge, screen, name);
  if (JobId::parse(name)) {
    const auto answer = edge.get("/v1/jobs/" + name);
    if (answer.status != 404) return watch_job(edge, screen, name, EventPrinter::Text::as_it_comes);
  }
  const auto alive = edge.get("/livez");
  if (!good(alive)) {
    screen.error(reason(alive, edge.url()));
    return exit_of(alive);
  }
  if (session_has_jobs(edge, name)) return watch_session(edge, screen, name);
  screen.error("no job and no session " + name +
               "; `millrace jobs list` shows the jobs, --session waits for those of a new session");
  return Exit::not_found;
}

}  // namespace

int tail(Words words) {
  std::string name;
  bool is_session = false;
  Command command("tail",
                  "Shows the events of a job to its end, or those of a session's jobs until "
                  "Ctrl-C, and comes back to its place after every cut.");
  command.words().add_option("name", name, "The id of a job, or a session")->required();
  command.words().add_flag("--session", is_session, "It is a session, also one without jobs yet");
  return command.run(std::move(words), [&](Command::Given& given) {
    Edge edge(given.config);
    return watch(edge, given.screen, name, is_session);
  });
}

}  // namespace millrace::cli
