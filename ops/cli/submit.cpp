#include "ops/cli/submit.h"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include "ops/cli/command.h"
#include "ops/cli/commands.h"
#include "ops/cli/edge.h"
#include "ops/cli/json.h"
#include "ops/cli/number_option.h"
#include "ops/cli/watch_job.h"
#include "producer/ingress/limits.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/json_text.h"
#include "shared/runtime/limits.h"

namespace millrace::cli {
namespace {

constexpr int tries = 5;
constexpr Duration first_wait = 200ms;
constexpr Duration wait_max = 10s;

constexpr double seconds(std::chrono::duration<double> time) {
  return time.count();
}

struct Asked {
  JobWords job;
  std::string key;
  bool stream = false;
  bool wait = false;
};

std::string too_large(std::string_view what) {
  return fmt::format("{} is larger than {} bytes, the most an edge takes: send several jobs", what,
                     limits::body_bytes_max);
}

void member(std::string& out, std::string_view name) {
  if (out.size() > 1) out += ',';
  append_json_string(out, name);
  out += ':';
}

void text_member(std::string& out, std::string_view name, const std::string& text) {
  if (text.empty()) return;
  member(out, name);
  append_json_string(out, text);
}

/// The same key on every try: a job whose 202 was lost on the way is not made twice.
BlockingAnswer put_in(Edge& edge, Screen& screen, const std::string& body, const std::string& key) {
  Duration wait = first_wait;
  for (int left = tries;; --left) {
    auto answer = edge.post("/v1/jobs", body, {"Idempotency-Key: " + key});
    // Nobody there at all is told at once.
    const bool worth = passing(answer) && answer.how != HttpHow::unreachable;
    if (good(answer) || !worth || left == 1) return answer;
    screen.progress("not taken yet, trying again");
    edge.wait(std::min(answer.retry_after.value_or(wait), wait_max));
    wait *= 2;
  }
}

Exit show_answer(Edge& edge, Screen& screen, const std::string& id, Exit ended) {
  const auto answer = edge.get("/v1/jobs/" + id);
  if (!good(answer)) {
    screen.error(reason(answer, edge.url()));
    return exit_of(answer);
  }
  const Json job(answer.body);
  if (screen.json())
    screen.line(job.raw(""));
  else if (const auto text = job.text("/result/text"); !text.empty())
    screen.line(text);
  return ended;
}

/// Shows nothing but the end; the job is what `out` gets, in either form.
Exit wait_for(Edge& edge, Screen& screen, const std::string& id) {
  Screen quiet = screen.without_out();
  const Exit ended = watch_job(edge, quiet, id, EventPrinter::Text::none);
  if (ended == Exit::unreachable || ended == Exit::usage || ended == Exit::not_found) return ended;
  return show_answer(edge, screen, id, ended);
}

Exit put_in_and_watch(Command::Given& given, Asked asked) {
  Screen& screen = given.screen;
  if (asked.job.prompt == "-") {
    auto text = prompt_from(stdin);
    if (!text) {
      screen.error(text.error());
      return Exit::usage;
    }
    asked.job.prompt = *std::move(text);
  }
  const auto body = job_body(asked.job);
  if (!body) {
    screen.error(body.error());
    return Exit::usage;
  }
  Edge edge(given.config);
  const std::string key = asked.key.empty() ? "cli-" + new_token(edge.random()).str() : asked.key;
  const auto answer = put_in(edge, screen, *body, key);
  if (!good(answer)) {
    screen.error(reason(answer, edge.url()));
    return exit_of(answer);
  }
  const Json receipt(answer.body);
  const std::string id = receipt.text("/id");
  if (!asked.stream && !asked.wait) {
    screen.line(screen.json() ? receipt.raw("") : id);
    return Exit::succeeded;
  }
  screen.note(Ink::dim, "job " + id);
  return asked.stream ? watch_job(edge, screen, id, EventPrinter::Text::as_it_comes)
                      : wait_for(edge, screen, id);
}

}  // namespace

std::expected<std::string, std::string> prompt_from(std::FILE* file) {
  constexpr std::size_t piece_bytes = 64 * 1024;
  std::string text;
  while (text.size() <= limits::body_bytes_max) {
    const auto before = text.size();
    text.resize(before + piece_bytes);
    text.resize(before + std::fread(text.data() + before, 1, piece_bytes, file));
    if (std::ferror(file) != 0)
      return std::unexpected(std::string("stdin cannot be read: ") + std::strerror(errno));
    if (std::feof(file) != 0) return text;
  }
  return std::unexpected(too_large("the prompt on stdin"));
}

std::expected<std::string, std::string> job_body(const JobWords& words) {
  if (words.prompt.empty()) return std::unexpected("the prompt is empty");
  if (!valid_utf8(words.prompt)) return std::unexpected("the prompt is not UTF-8");
  std::string metadata = "{";
  for (const auto& pair : words.metadata) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0)
      return std::unexpected("--metadata " + pair + ": allowed is name=value");
    member(metadata, pair.substr(0, equals));
    const std::string value = pair.substr(equals + 1);
    const Json json(value);
    if (json)
      metadata += json.raw("").empty() ? "null" : json.raw("");
    else
      append_json_string(metadata, value);
  }
  metadata += '}';
  std::string body = "{";
  text_member(body, "input", words.prompt);
  text_member(body, "session", words.session);
  text_member(body, "model", words.model);
  text_member(body, "priority", words.priority);
  const auto number_member = [&body](std::string_view name, auto number) {
    if (!number) return;
    member(body, name);
    append_number(body, *number);
  };
  number_member("max_tokens", words.max_tokens);
  number_member("temperature", words.temperature);
  number_member("deadline_s", words.deadline_s);
  if (metadata.size() > 2) body.append(",\"metadata\":").append(metadata);
  body += '}';
  if (body.size() > limits::body_bytes_max) return std::unexpected(too_large("the job, as JSON,"));
  return body;
}

int submit(Words words) {
  Asked asked;
  Command command("submit", "Puts a job in and prints its id.");
  auto& app = command.words();
  app.add_option("prompt", asked.job.prompt, "What to ask; - reads it from stdin")->required();
  app.add_option("--session", asked.job.session, "Jobs of one session run in order");
  app.add_option("--model", asked.job.model, "Another model than the edge's");
  add_whole(app, "--max-tokens", 1, ingress_limits::max_tokens_max, "as many as the edge says",
            [&asked](std::uint64_t count) { asked.job.max_tokens = count; });
  add_number(app, "--temperature", 0, ingress_limits::temperature_max, "the edge's",
             [&asked](double given) { asked.job.temperature = given; });
  app.add_option("--priority", asked.job.priority, "interactive or bulk");
  add_number(app, "--deadline", 0.001, seconds(limits::deadline_max),
             fmt::format("it expires after {} seconds", seconds(limits::deadline_default)),
             [&asked](double given) { asked.job.deadline_s = given; });
  app.add_option("--metadata", asked.job.metadata, "name=value, kept with the job; any number")
      ->allow_extra_args(false);
  app.add_option("--idempotency-key", asked.key, "The same key and job again is the same job");
  auto* stream = app.add_flag("--stream", asked.stream, "Shows the answer as it is written");
  app.add_flag("--wait", asked.wait, "Prints the answer once it is whole")->excludes(stream);
  return command.run(std::move(words),
                     [&asked](Command::Given& given) { return put_in_and_watch(given, asked); });
}

}  // namespace millrace::cli
