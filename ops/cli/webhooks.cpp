#include <algorithm>

#include "ops/cli/command.h"
#include "ops/cli/commands.h"
#include "ops/cli/edge.h"
#include "ops/cli/json.h"
#include "ops/cli/number_option.h"
#include "shared/runtime/percent_encoded.h"

namespace millrace::cli {
namespace {

constexpr const char* deliveries = "/v1/webhooks/deliveries";

Exit refused(const BlockingAnswer& answer, Screen& screen, const Edge& edge) {
  screen.error(reason(answer, edge.url()));
  return exit_of(answer);
}

Exit secret(Command::Given& given, bool rotate) {
  Edge edge(given.config);
  const auto answer =
      rotate ? edge.post("/v1/webhooks/secret/rotate", "") : edge.get("/v1/webhooks/secret");
  if (!good(answer)) return refused(answer, given.screen, edge);
  const Json secrets(answer.body);
  given.screen.line(given.screen.json() ? secrets.raw("") : secrets.text("/secret"));
  if (!secrets.text("/previous").empty())
    given.screen.note(Ink::dim, "the one before signs too, for a day after the change");
  return Exit::succeeded;
}

std::string row(const Json& delivery) {
  const std::string why = delivery.text("/last_error");
  return delivery.text("/id") + "  " + delivery.text("/state") + "  " + delivery.text("/type") +
         "  " + std::to_string(delivery.number("/attempts").value_or(0)) + "  " +
         delivery.text("/url") + (why.empty() ? "" : "  " + why);
}

Exit list(Command::Given& given, const std::string& query) {
  Edge edge(given.config);
  const auto answer = edge.get(deliveries + query);
  if (!good(answer)) return refused(answer, given.screen, edge);
  const Json page(answer.body);
  for (const auto& one : page.list("/data"))
    given.screen.line(given.screen.json() ? one : row(Json(one)));
  if (page.list("/data").empty()) given.screen.note(Ink::dim, "no such deliveries");
  if (!page.text("/next").empty())
    given.screen.note(Ink::dim, "more: --after " + page.text("/next"));
  return Exit::succeeded;
}

Exit redeliver(Edge& edge, Screen& screen, const std::string& id) {
  const auto path = std::string(deliveries) + "/" + percent_encoded(id) + "/redeliver";
  const auto answer = edge.post(path, "");
  if (!good(answer)) return refused(answer, screen, edge);
  const Json delivery(answer.body);
  screen.line(screen.json() ? delivery.raw("") : row(delivery));
  return Exit::succeeded;
}

}  // namespace

int show_webhook_secret(Words words) {
  bool rotate = false;
  Command command("webhooks secret", "Prints what signs the webhooks of the key's tenant.");
  command.words().add_flag("--rotate", rotate,
                           "Makes a new one; the old one signs beside it for a day");
  return command.run(std::move(words),
                     [&rotate](Command::Given& given) { return secret(given, rotate); });
}

int list_webhooks(Words words) {
  std::string state;
  std::string job;
  std::string after;
  std::uint64_t count = 20;
  Command command("webhooks list", "Lists deliveries, newest first.");
  auto& app = command.words();
  app.add_option("--state", state, "pending, delivered or failed");
  app.add_option("--job", job, "That of a job");
  add_whole(app, "-n,--limit", 1, 100, "20", [&count](std::uint64_t wanted) { count = wanted; });
  app.add_option("--after", after, "Those older than the delivery with that id");
  return command.run(std::move(words), [&](Command::Given& given) {
    std::string query = "?limit=" + std::to_string(count);
    if (!state.empty()) query += "&state=" + percent_encoded(state);
    if (!job.empty()) query += "&job=" + percent_encoded(job);
    if (!after.empty()) query += "&after=" + percent_encoded(after);
    return list(given, query);
  });
}

int redeliver_webhooks(Words words) {
  std::vector<std::string> ids;
  Command command("webhooks redeliver", "Makes deliveries due now, however they stand.");
  command.words().add_option("id", ids, "The ids of deliveries (msg_…)")->required();
  return command.run(std::move(words), [&ids](Command::Given& given) {
    Edge edge(given.config);
    Exit worst = Exit::succeeded;
    for (const auto& id : ids) worst = std::max(worst, redeliver(edge, given.screen, id));
    return worst;
  });
}

}  // namespace millrace::cli
