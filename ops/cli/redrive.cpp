#include "ops/cli/command.h"
#include "ops/cli/commands.h"
#include "ops/cli/edge.h"
#include "ops/cli/json.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/json_text.h"

namespace millrace::cli {
namespace {

struct Count {
  std::int64_t sent = 0;
  std::int64_t skipped = 0;
};

/// A page at a time, until the edge has no more.
Exit redrive_by(Edge& edge, Screen& screen, const std::string& id) {
  Count count;
  std::int64_t after = 0;
  for (;;) {
    std::string body = R"({"after":)" + std::to_string(after);
    if (!id.empty()) {
      body += R"(,"id":)";
      append_json_string(body, id);
    }
    const auto answer = edge.post("/v1/dead-letters/redrive", body + "}");
    if (!good(answer)) {
      const Exit exit = exit_of(answer);
      screen.error(exit == Exit::not_found ? "there is no job " + id + " that failed"
                                           : reason(answer, edge.url()));
      return exit;
    }
    const Json page(answer.body);
    for (const auto& sent : page.list("/data")) screen.line(sent);
    count.sent += page.number("/sent").value_or(0);
    count.skipped += page.number("/skipped").value_or(0);
    after = page.number("/next").value_or(0);
    if (after == 0) break;
  }
  screen.line(R"({"sent":)" + std::to_string(count.sent) + R"(,"skipped":)" +
              std::to_string(count.skipped) + "}");
  return Exit::succeeded;
}

}  // namespace

int redrive(Words words, RedriveOnServers on_servers) {
  std::string id;
  Command command(
      "jobs redrive",
      "Runs the work of dead letters again, each as a new job with a new id and "
      "metadata.redriven_from: those not sent before, or one alone. Prints "
      "{\"from\",\"id\"} for each and {\"sent\",\"skipped\"} last; what cannot be "
      "done again is skipped, or goes back to Kafka as it was. Goes to the edge, or where "
      "KAFKA_BROKERS is set to Kafka itself.");
  command.words().add_option("--id", id, "The job whose work to do again");
  return command.run(std::move(words), [&](Command::Given& given) {
    if (!id.empty() && !JobId::parse(id)) {
      given.screen.error("--id " + id + " is not the id of a job (a UUID)");
      return Exit::usage;
    }
    if (!given.config.kafka_brokers.empty()) return static_cast<Exit>(on_servers(given.config, id));
    Edge edge(given.config);
    return redrive_by(edge, given.screen, id);
  });
}

}  // namespace millrace::cli
