#include <fmt/format.h>

#include <array>
#include <span>
#include <string_view>

#include "ops/cli/checks.h"
#include "ops/cli/command.h"
#include "ops/cli/commands.h"
#include "shared/postgres/postgres_store.h"
#include "shared/runtime/json_text.h"

namespace millrace::cli {
namespace {

using Verdict = Check::Verdict;

struct Look {
  std::string_view what;
  Checks (*at)(const Config&);
};
constexpr std::array for_both{Look{"data folder", check_data_folder}, Look{"store", check_store}};
constexpr std::array for_servers{Look{"Kafka", check_kafka}, Look{"Redis", check_redis}};
constexpr std::array around{Look{"model", check_model}, Look{"edge", check_edge},
                            Look{"keys", check_keys}};

std::string_view word_of(Verdict verdict) {
  if (verdict == Verdict::ok) return "ok";
  return verdict == Verdict::warn ? "warn" : "fail";
}

Ink ink_of(Verdict verdict) {
  if (verdict == Verdict::ok) return Ink::green;
  return verdict == Verdict::warn ? Ink::yellow : Ink::red;
}

std::string json_of(const Check& check) {
  std::string out = R"({"check":)";
  append_json_string(out, check.name);
  out.append(R"(,"verdict":")").append(word_of(check.verdict)).append(R"(","says":)");
  append_json_string(out, check.says);
  out += R"(,"remedy":)";
  append_json_string(out, check.remedy);
  return out + "}";
}

void tell(const Check& check, Screen& screen) {
  if (screen.json()) return screen.line(json_of(check));
  const std::string word = fmt::format("{:<4}", word_of(check.verdict));
  screen.line(screen.inked(ink_of(check.verdict), word) +
              fmt::format("  {:<13} {}", check.name, check.says));
  if (!check.remedy.empty()) screen.line(fmt::format("{:20}→ {}", "", check.remedy));
}

class Doctor {
 public:
  Doctor(const Config& config, Screen& screen) : config_(config), screen_(screen) {}

  Exit examine() {
    take(check_settings(config_));
    if (failed_) return Exit::failed;
    look(for_both);
    if (!embedded(config_)) look(for_servers);
    look(around);
    return failed_ ? Exit::failed : Exit::succeeded;
  }

 private:
  void look(std::span<const Look> looks) {
    for (const auto& look : looks) {
      screen_.progress(fmt::format("looking at the {}", look.what));
      take(look.at(config_));
    }
  }

  void take(const Checks& checks) {
    for (const auto& check : checks) {
      tell(check, screen_);
      failed_ = failed_ || check.verdict == Verdict::fail;
    }
  }

  const Config& config_;
  Screen& screen_;
  bool failed_ = false;
};

}  // namespace

bool embedded(const Config& config) {
  return config.kafka_brokers.empty() && config.redis_url.empty();
}

Checks check_settings(const Config& config) {
  const bool on_postgres = postgres::is_url(config.database_url);
  if (embedded(config) && on_postgres)
    return {{"settings", Verdict::fail,
             "DATABASE_URL names a Postgres, but neither KAFKA_BROKERS nor REDIS_URL is set",
             "name them too, or a file, to keep everything in the data folder"}};
  if (embedded(config))
    return {{"settings", Verdict::ok, "one process on the data folder " + config.data}};
  if (config.kafka_brokers.empty() || config.redis_url.empty())
    return {{"settings", Verdict::fail,
             config.redis_url.empty() ? "KAFKA_BROKERS is set and REDIS_URL is not"
                                      : "REDIS_URL is set and KAFKA_BROKERS is not",
             "name both to run on them, or neither to keep everything in the data folder"}};
  if (on_postgres)
    return {{"settings", Verdict::ok,
             "on Kafka, Redis and Postgres; large inputs are files in the data folder, which "
             "several hosts would have to share"}};
  return {{"settings", Verdict::ok,
           "on Kafka and Redis, on one host: the store is a file, a Postgres serves several"}};
}

int doctor(Words words) {
  Command command(
      "doctor",
      "Looks at everything that the configured way of running depends on, and says what "
      "to do. Changes nothing. 0: nothing fails (there may be warnings), 1: something "
      "does.");
  return command.run(std::move(words), [](Command::Given& given) {
    return Doctor(given.config, given.screen).examine();
  });
}

}  // namespace millrace::cli
