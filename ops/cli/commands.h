#pragma once
#include <string>
#include <vector>

#include "ops/cli/command_line.h"

namespace millrace::cli {

// The commands, each from the words behind its name to its exit code.

using Words = std::vector<std::string>;

int submit(Words words);
int tail(Words words);
int list_jobs(Words words);
int show_job(Words words);
int cancel_jobs(Words words);
int redrive(Words words, RedriveOnServers on_servers);
int create_key(Words words);
int list_keys(Words words);
int revoke_keys(Words words);
int show_webhook_secret(Words words);
int list_webhooks(Words words);
int redeliver_webhooks(Words words);
int doctor(Words words);
int backup(Words words);
int restore(Words words);

}  // namespace millrace::cli
