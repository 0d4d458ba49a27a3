#include "ops/data/backup.h"

#include <fmt/format.h>

#include <stdexcept>

#include "ops/cli/checks.h"
#include "ops/cli/command.h"
#include "ops/cli/commands.h"
#include "ops/roles/loop.h"
#include "shared/runtime/json_text.h"

namespace millrace::cli {
namespace {

constexpr const char* not_here =
    "a backup is of a data folder, and here the queue is in Kafka and the events in Redis: back "
    "these up by their own means, and what DATABASE_URL names by SQLite's `.backup` or pg_dump";

std::string quoted(const std::string& text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

Exit back_up_to(Command::Given& given, const std::string& file) {
  Screen& screen = given.screen;
  const Loop loop;
  const auto done = back_up({given.config.data, given.config.database_url}, file, loop.clock.wall(),
                            [&screen](std::string_view doing) { screen.progress(doing); });
  if (screen.json()) {
    screen.line(fmt::format(R"({{"file":{},"bytes":{},"segments":{},"objects":{}}})", quoted(file),
                            done.bytes, done.segments, done.objects));
  } else {
    screen.line(fmt::format("{}: {:.1f} MB: the store, events in {} file(s), {} object(s)", file,
                            static_cast<double>(done.bytes) / 1e6, done.segments, done.objects));
  }
  return Exit::succeeded;
}

Exit restore_from(Command::Given& given, const std::string& file) {
  Screen& screen = given.screen;
  const auto& config = given.config;
  const auto done =
      millrace::restore(file, {config.data, config.database_url},
                        [&screen](std::string_view doing) { screen.progress(doing); });
  if (screen.json()) {
    screen.line(fmt::format(R"({{"data":{},"made_at":"{}","files":{}}})", quoted(config.data),
                            done.made_at, done.files));
  } else {
    screen.line(
        fmt::format("{} is as it was at {}: {} files", config.data, done.made_at, done.files));
  }
  return Exit::succeeded;
}

int with_file(Command& command, Words words, Exit (*act)(Command::Given&, const std::string&)) {
  std::string file;
  command.words().add_option("file", file, "The archive")->required();
  return command.run(std::move(words), [&](Command::Given& given) {
    if (!embedded(given.config)) {
      given.screen.error(not_here);
      return Exit::usage;
    }
    try {
      return act(given, file);
    } catch (const std::runtime_error& failure) {
      given.screen.error(failure.what());
      return Exit::failed;
    }
  });
}

}  // namespace

int backup(Words words) {
  Command command("backup",
                  "Writes all that the data folder holds into one file, a tar, while `millrace "
                  "serve` runs or not. The file is there whole or not at all, and holds secrets.");
  return with_file(command, std::move(words), back_up_to);
}

int restore(Words words) {
  Command command("restore",
                  "Makes an empty data folder what it was when that backup was made. Jobs that had "
                  "not ended then run there, also those that have ended since.");
  return with_file(command, std::move(words), restore_from);
}

}  // namespace millrace::cli
