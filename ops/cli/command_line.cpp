#include "ops/cli/command_line.h"

#include <cstdio>

#include "ops/cli/commands.h"
#include "ops/cli/exit_code.h"
#include "ops/cli/settings_words.h"

namespace millrace::cli {
namespace {

constexpr const char* jobs_help = R"(usage: millrace jobs list|show|cancel|redrive …

  list           the newest jobs, or those of a session or a status
  show ID        all that is known of a job
  cancel ID…     ends jobs, within a second
  redrive        runs the work of dead letters again, each as a new job with a new id

Each of them tells more with --help.
)";

std::optional<int> jobs(Words words, RedriveOnServers on_servers) {
  const std::string verb = words.empty() ? "" : words.front();
  if (!words.empty()) words.erase(words.begin());
  if (verb == "list") return list_jobs(std::move(words));
  if (verb == "show") return show_job(std::move(words));
  if (verb == "cancel") return cancel_jobs(std::move(words));
  if (verb == "redrive") return redrive(std::move(words), on_servers);
  const bool asked = verb == "--help" || verb == "-h" || verb == "help";
  if (verb == "--version") {
    std::puts(version_line().c_str());
    return code(Exit::succeeded);
  }
  if (!asked && !verb.empty())
    std::fprintf(stderr, "millrace: jobs has no command `%s`\n", verb.c_str());
  std::fputs(jobs_help, asked ? stdout : stderr);
  return code(asked ? Exit::succeeded : Exit::usage);
}

}  // namespace

std::optional<int> run(const std::vector<std::string>& words, RedriveOnServers redrive_on_servers) {
  if (words.empty()) return std::nullopt;
  Words rest(words.begin() + 1, words.end());
  if (words.front() == "submit") return submit(std::move(rest));
  if (words.front() == "tail") return tail(std::move(rest));
  if (words.front() == "jobs") return jobs(std::move(rest), redrive_on_servers);
  if (words.front() == "doctor") return doctor(std::move(rest));
  if (words.front() == "backup") return backup(std::move(rest));
  if (words.front() == "restore") return restore(std::move(rest));
  return std::nullopt;
}

}  // namespace millrace::cli
