#include "ops/cli/command_line.h"

#include <array>
#include <cstdio>
#include <span>

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

using Names = std::span<const std::string_view>;

/// What a word that is none of a group's commands gets.
int told_verbs(const char* group, const std::string& verb, Names verbs, const char* help) {
  const bool asked = verb == "--help" || verb == "-h" || verb == "help";
  if (verb == "--version") {
    std::puts(version_line().c_str());
    return code(Exit::succeeded);
  }
  if (!asked && !verb.empty())
    std::fprintf(stderr, "millrace: %s has no command `%s`%s\n", group, verb.c_str(),
                 did_you_mean(verb, verbs).c_str());
  std::fputs(help, asked ? stdout : stderr);
  return code(asked ? Exit::succeeded : Exit::usage);
}

std::optional<int> jobs(Words words, RedriveOnServers on_servers) {
  const std::string verb = words.empty() ? "" : words.front();
  if (!words.empty()) words.erase(words.begin());
  if (verb == "list") return list_jobs(std::move(words));
  if (verb == "show") return show_job(std::move(words));
  if (verb == "cancel") return cancel_jobs(std::move(words));
  if (verb == "redrive") return redrive(std::move(words), on_servers);
  constexpr std::array<std::string_view, 4> verbs{"list", "show", "cancel", "redrive"};
  return told_verbs("jobs", verb, verbs, jobs_help);
}

constexpr const char* keys_help = R"(usage: millrace keys create|list|revoke …

  create         makes an API key and prints it, this once
  list           those there are, without the keys themselves
  revoke ID…     ends keys, within 2 s on every edge

They go to the store that DATABASE_URL names, also while a millrace runs on it. Each of them tells
more with --help.
)";

std::optional<int> keys(Words words) {
  const std::string verb = words.empty() ? "" : words.front();
  if (!words.empty()) words.erase(words.begin());
  if (verb == "create") return create_key(std::move(words));
  if (verb == "list") return list_keys(std::move(words));
  if (verb == "revoke") return revoke_keys(std::move(words));
  constexpr std::array<std::string_view, 3> verbs{"create", "list", "revoke"};
  return told_verbs("keys", verb, verbs, keys_help);
}

constexpr const char* webhooks_help = R"(usage: millrace webhooks secret|list|redeliver …

  secret           what signs a tenant's webhooks, and makes a new one with --rotate
  list             deliveries, the newest first
  redeliver ID…    tries again, now and for a day

Each of them tells more with --help.
)";

std::optional<int> webhooks(Words words) {
  const std::string verb = words.empty() ? "" : words.front();
  if (!words.empty()) words.erase(words.begin());
  if (verb == "secret") return show_webhook_secret(std::move(words));
  if (verb == "list") return list_webhooks(std::move(words));
  if (verb == "redeliver") return redeliver_webhooks(std::move(words));
  constexpr std::array<std::string_view, 3> verbs{"secret", "list", "redeliver"};
  return told_verbs("webhooks", verb, verbs, webhooks_help);
}

}  // namespace

std::optional<int> run(const std::vector<std::string>& words, RedriveOnServers redrive_on_servers) {
  if (words.empty()) return std::nullopt;
  Words rest(words.begin() + 1, words.end());
  if (words.front() == "submit") return submit(std::move(rest));
  if (words.front() == "tail") return tail(std::move(rest));
  if (words.front() == "jobs") return jobs(std::move(rest), redrive_on_servers);
  if (words.front() == "keys") return keys(std::move(rest));
  if (words.front() == "webhooks") return webhooks(std::move(rest));
  if (words.front() == "doctor") return doctor(std::move(rest));
  if (words.front() == "backup") return backup(std::move(rest));
  if (words.front() == "restore") return restore(std::move(rest));
  return std::nullopt;
}

}  // namespace millrace::cli
