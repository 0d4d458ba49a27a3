#include <algorithm>
#include <limits>

#include "ops/cli/command.h"
#include "ops/cli/commands.h"
#include "ops/cli/edge.h"
#include "ops/cli/job_text.h"
#include "ops/cli/json.h"
#include "ops/cli/number_option.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/percent_encoded.h"

namespace millrace::cli {
namespace {

constexpr std::uint32_t page_max = 100;

struct Wanted {
  std::string status;
  std::string session;
  std::string after;
  std::uint32_t count = 20;
};

Exit told(const BlockingAnswer& answer, const std::string& id, Screen& screen, const Edge& edge) {
  if (!id.empty() && exit_of(answer) == Exit::not_found) {
    screen.error("there is no job " + id + "; `millrace jobs list` shows those there are");
    return Exit::not_found;
  }
  screen.error(reason(answer, edge.url()));
  return exit_of(answer);
}

std::string list_path(const Wanted& wanted, std::uint32_t limit) {
  std::string path = "/v1/jobs?limit=" + std::to_string(limit);
  if (!wanted.status.empty()) path += "&status=" + percent_encoded(wanted.status);
  if (!wanted.session.empty()) path += "&session=" + percent_encoded(wanted.session);
  if (!wanted.after.empty()) path += "&after=" + percent_encoded(wanted.after);
  return path;
}

Exit list(Command::Given& given, Wanted wanted) {
  Screen& screen = given.screen;
  Edge edge(given.config);
  std::uint32_t left = wanted.count;
  bool head_shown = screen.json();
  while (left > 0) {
    const auto answer = edge.get(list_path(wanted, std::min(left, page_max)));
    if (!good(answer)) return told(answer, "", screen, edge);
    const Json page(answer.body);
    const auto jobs = page.list("/data");
    if (!head_shown && jobs.empty()) screen.note(Ink::dim, "no such jobs");
    if (!head_shown && !jobs.empty()) screen.line(screen.inked(Ink::bold, list_head()));
    head_shown = true;
    for (const auto& job : jobs) screen.line(screen.json() ? job : list_row(Json(job), screen));
    left -= static_cast<std::uint32_t>(std::min<std::size_t>(left, jobs.size()));
    wanted.after = page.text("/next");
    if (wanted.after.empty()) return Exit::succeeded;
  }
  screen.note(Ink::dim, "more: --after " + wanted.after);
  return Exit::succeeded;
}

/// Before anybody is asked.
bool is_id(const std::string& id, Screen& screen) {
  if (JobId::parse(id)) return true;
  screen.error(id + " is not the id of a job (a UUID); `millrace jobs list` shows them");
  return false;
}

Exit show(Command::Given& given, const std::string& id) {
  if (!is_id(id, given.screen)) return Exit::usage;
  Edge edge(given.config);
  const auto answer = edge.get("/v1/jobs/" + percent_encoded(id));
  if (!good(answer)) return told(answer, id, given.screen, edge);
  const Json job(answer.body);
  given.screen.line(given.screen.json() ? job.raw("") : whole_job(job, given.screen));
  return Exit::succeeded;
}

Exit cancel(Edge& edge, Screen& screen, const std::string& id) {
  if (!is_id(id, screen)) return Exit::usage;
  const auto answer = edge.post("/v1/jobs/" + percent_encoded(id) + "/cancel", "");
  if (!good(answer)) return told(answer, id, screen, edge);
  const Json job(answer.body);
  const std::string status = job.text("/status");
  screen.line(screen.json() ? job.raw("")
                            : job.text("/id") + " " + screen.inked(ink_of(status), status));
  return status == "cancelled" ? Exit::succeeded : Exit::failed;
}

}  // namespace

int list_jobs(Words words) {
  Wanted wanted;
  Command command("jobs list", "Lists jobs, newest first.");
  auto& app = command.words();
  app.add_option("--status", wanted.status,
                 "queued, running, retrying, succeeded, failed, cancelled or expired");
  app.add_option("--session", wanted.session, "Those of a session");
  add_whole(app, "-n,--limit", 1, std::numeric_limits<std::uint32_t>::max(), "20",
            [&wanted](std::uint64_t count) { wanted.count = static_cast<std::uint32_t>(count); });
  app.add_option("--after", wanted.after, "Those older than the job with that id");
  return command.run(std::move(words),
                     [&wanted](Command::Given& given) { return list(given, wanted); });
}

int show_job(Words words) {
  std::string id;
  Command command("jobs show", "Shows all that is known of a job.");
  command.words().add_option("id", id, "The id of a job")->required();
  return command.run(std::move(words), [&id](Command::Given& given) { return show(given, id); });
}

int cancel_jobs(Words words) {
  std::vector<std::string> ids;
  Command command("jobs cancel",
                  "Ends jobs and prints how each ended; 1 when one had ended before.");
  command.words().add_option("id", ids, "The ids of jobs")->required();
  return command.run(std::move(words), [&ids](Command::Given& given) {
    Edge edge(given.config);
    Exit worst = Exit::succeeded;
    for (const auto& id : ids) worst = std::max(worst, cancel(edge, given.screen, id));
    return worst;
  });
}

}  // namespace millrace::cli
