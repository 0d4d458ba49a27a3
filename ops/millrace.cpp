// millrace: the one program. The first word says what this process is.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <vector>

#include "ops/cli/command_line.h"
#include "ops/roles/commands.h"
#include "shared/runtime/config.h"
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
  config         prints every setting in force and where it came from

Each setting is a flag, an environment variable and a TOML key: `millrace config` lists them.
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

int print_config(const LoadedConfig& loaded) {
  for (const auto& line : loaded.lines)
    std::printf("%-26s = %s  (%s)\n", line.key.c_str(), line.value.c_str(), line.origin.c_str());
  return 0;
}

using Command = int (*)(const Config&);
const std::map<std::string, Command, std::less<>> commands{{"serve", run_serve},
                                                           {"edge", run_edge},
                                                           {"worker", run_worker},
                                                           {"llm-sim", run_llm_sim},
                                                           {"migrate", run_migrate}};

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
  if (command == "config") return print_config(load_config(words));
  const auto found = commands.find(command);
  if (found == commands.end()) {
    std::fprintf(stderr, "millrace: %s\n%s",
                 command.empty() ? "no command" : ("unknown command `" + command + "`").c_str(),
                 usage);
    return 2;
  }
  const auto loaded = load_config(words);
  open_log(loaded.config);
  return found->second(loaded.config);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run_command({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "millrace: %s\n", error.what());
    return 2;
  }
}
