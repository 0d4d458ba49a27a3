// millrace: the one program. The first word says what this process is.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "ops/cli/command_line.h"
#include "ops/cli/out_lost.h"
#include "ops/cli/settings_words.h"
#include "ops/roles/commands.h"
#include "shared/runtime/config.h"
#include "shared/runtime/json_text.h"
#include "shared/runtime/log.h"

namespace {

using namespace millrace;

constexpr const char* usage = R"(usage: millrace COMMAND [--setting value …]

  serve          everything in one process; with nothing beside it, unless KAFKA_BROKERS and
                 REDIS_URL name servers to stand on
  edge           takes jobs over HTTP and streams their events
  worker         runs jobs
  llm-sim        an OpenAI-compatible model server that only pretends
  migrate        makes topics and tables, or brings them up to date

  submit PROMPT  puts a job in; --wait or --stream for its answer
  tail ID        shows a job's or a session's events as they come
  jobs           list, show, cancel; redrive runs the work of dead letters again
  keys           create, list, revoke API keys
  webhooks       secret, list, redeliver
  doctor         looks at everything that the configured way of running depends on
  backup FILE    writes all that the data folder holds into one file, also while it is served
  restore FILE   makes a data folder of such a file
  config         prints every setting in force and where it came from; --json for programs

Each of them tells more with --help. Each setting is a flag, an environment variable and a TOML
key: `millrace config` lists them.
)";

log::Level level_of(const std::string& name) {
  if (name == "debug") return log::Level::debug;
  if (name == "warn") return log::Level::warn;
  if (name == "error") return log::Level::error;
  return log::Level::info;
}

void open_log(const Config& config) {
  const bool terminal = isatty(STDERR_FILENO) == 1;
  const bool json = config.log_format == "json" || (config.log_format == "auto" && !terminal);
  log::open(level_of(config.log_level), json);
}

std::string json_of(const ConfigLine& line) {
  std::string out;
  const auto member = [&out](std::string_view name, std::string_view text) {
    out.append(out.empty() ? R"({")" : R"(,")").append(name).append(R"(":)");
    append_json_string(out, text);
  };
  member("key", line.key);
  member("flag", cli::flag_of(line.key));
  member("env", line.env);
  member("value", line.value);
  member("origin", line.origin);
  out.append(R"(,"used":)").append(line.used ? "true" : "false");
  return out + "}";
}

int print_config(std::vector<std::string> words) {
  const bool json = std::erase(words, "--json") > 0;
  const auto loaded = load_config(words);
  for (const auto& line : loaded.lines) {
    const char* heeded = line.used ? "" : "; not used yet";
    if (json)
      std::puts(json_of(line).c_str());
    else
      std::printf("%-26s = %s  (%s%s)\n", line.key.c_str(), line.value.c_str(), line.origin.c_str(),
                  heeded);
  }
  for (const auto& doubt : loaded.doubts) std::fprintf(stderr, "%s\n", doubt.c_str());
  return 0;
}

/// What takes nothing but settings.
struct Role {
  std::string_view name;
  std::string_view what;
  int (*run)(const Config&);
};
constexpr std::array roles{
    Role{"serve",
         "Runs everything in one process, with nothing beside it: queue, events, jobs and objects\n"
         "are in the data folder. With KAFKA_BROKERS and REDIS_URL, everything on these.",
         run_serve},
    Role{"edge", "Takes jobs over HTTP and streams their events. Needs KAFKA_BROKERS, REDIS_URL.",
         run_edge},
    Role{"worker", "Runs jobs. Needs KAFKA_BROKERS, REDIS_URL.", run_worker},
    Role{"llm-sim", "Is an OpenAI-compatible model server that only pretends.", run_llm_sim},
    Role{"migrate", "Makes topics and tables, or brings them up to date, and ends.", run_migrate},
};

int run_role(const Role& role, const std::vector<std::string>& words) {
  if (cli::told_about(role.name, role.what, words)) return 0;
  const auto loaded = load_config(words);
  open_log(loaded.config);
  for (const auto& doubt : loaded.doubts) log::warn("setting_doubtful", {{"why", doubt}});
  return role.run(loaded.config);
}

int redrive_on_servers(const Config& config, const std::string& id) {
  open_log(config);
  return redrive_jobs(config, id);
}

int run_command(std::vector<std::string> words) {
  if (const auto done = cli::run(words, redrive_on_servers)) return *done;
  const std::string command = words.empty() ? "" : words.front();
  if (!words.empty()) words.erase(words.begin());
  if (command == "help" || command == "--help" || command == "-h") {
    std::fputs(usage, stdout);
    return 0;
  }
  if (command == "--version" || command == "-V") {
    std::puts(cli::version_line().c_str());
    return 0;
  }
  if (command == "config") {
    constexpr auto what =
        "Prints every setting in force and where it came from, secrets masked. With --json each "
        "is\n"
        "an object on a line of its own: key, flag, env, value, origin, used.";
    return cli::told_about(command, what, words) ? 0 : print_config(words);
  }
  const auto* const role = std::ranges::find(roles, command, &Role::name);
  if (role != roles.end()) return run_role(*role, words);
  constexpr std::array<std::string_view, 14> commands{
      "serve", "edge", "worker",   "llm-sim", "migrate", "submit",  "tail",
      "jobs",  "keys", "webhooks", "doctor",  "backup",  "restore", "config"};
  const std::string why =
      command.empty() ? "no command"
                      : "unknown command `" + command + "`" + cli::did_you_mean(command, commands);
  std::fprintf(stderr, "millrace: %s\n%s", why.c_str(), usage);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  ::umask(0077);  // what is kept are prompts, answers and a secret: their owner's to read
  try {
    return cli::exit_once_written(run_command({argv + 1, argv + argc}));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "millrace: %s\n", error.what());
    return 2;
  }
}
