#include <cstdio>
#include <filesystem>
#include <optional>

#include "ops/roles/chosen_store.h"
#include "ops/roles/commands.h"
#include "ops/roles/run_roles.h"
#include "ops/roles/sim_role.h"
#include "shared/kafka/dead_letters.h"
#include "shared/kafka/topic_admin.h"
#include "shared/postgres/postgres_store.h"
#include "shared/runtime/config_value.h"
#include "shared/runtime/log.h"
#include "shared/sqlite/sqlite_store.h"

namespace millrace {
namespace {

kafka::ClientSettings client_settings(const Config& config) {
  return {config.kafka_brokers, config.kafka_properties};
}

/// Tells the operator of each letter that was sent again, and the Store of each new job, so that
/// it can be asked for before a worker begins it. Without a store that this host sees, begin does.
class RedriveTeller {
 public:
  explicit RedriveTeller(const Config& config) {
    const bool is_file = !postgres::is_url(config.database_url);
    if (is_file && !std::filesystem::exists(config.database_url)) return;
    store_ = choose_store(config, random_);
    port_ = store_->port(loop_.clock);
  }

  void tell(const kafka::Redriven& sent) {
    if (!sent.job) {
      std::printf("{\"partition\":%d,\"offset\":%lld,\"sent\":\"as it was\"}\n", sent.partition,
                  static_cast<long long>(sent.offset));
      return;
    }
    std::printf("{\"from\":\"%s\",\"id\":\"%s\"}\n", sent.from->str().c_str(),
                sent.job->id.str().c_str());
    if (port_ && !port_->note_accepted(*sent.job, ""))
      log::warn("redriven_job_not_noted", {{"job", sent.job->id.str()}});
  }

 private:
  SystemRandom random_;
  Loop loop_;
  std::unique_ptr<ChosenStore> store_;
  std::unique_ptr<Store> port_;
};

int fail(const std::string& sentence) {
  std::fprintf(stderr, "millrace: %s\n", sentence.c_str());
  return 1;
}

}  // namespace

int run_llm_sim(const Config& config) {
  return run_roles({[&config](Loop& loop) { return std::make_unique<SimRole>(loop, config); }});
}

int run_migrate(const Config& config) {
  SystemRandom random;
  const auto version = postgres::is_url(config.database_url)
                           ? postgres::migrate_store(config.database_url, random)
                           : migrate_store(config.database_url, random);
  if (!version) return fail(version.error());
  std::printf("store: version %d (%s)\n", *version,
              config_value::without_password(config.database_url).c_str());
  if (config.kafka_brokers.empty()) {
    std::printf("topics: none, for no KAFKA_BROKERS are named\n");
    return 0;
  }
  const auto created = kafka::create_topics(client_settings(config), config.topic_prefix);
  if (!created) return fail(created.error());
  std::printf("topics: %zu made, prefix %s\n", created->size(), config.topic_prefix.c_str());
  return 0;
}

int redrive_jobs(const Config& config, const std::string& id) {
  if (config.kafka_brokers.empty())
    return fail("no queue: set KAFKA_BROKERS (host:port, comma-separated)");
  std::optional<JobId> only;
  if (!id.empty()) {
    only = JobId::parse(id);
    if (!only) return fail("--id " + id + " is not a job id (a UUID)");
  }
  RedriveTeller teller(config);
  const auto count = kafka::redrive(client_settings(config), config.topic_prefix, only,
                                    [&teller](const kafka::Redriven& sent) { teller.tell(sent); });
  if (!count) return fail(count.error());
  std::printf("{\"sent\":%llu,\"skipped\":%llu}\n", static_cast<unsigned long long>(count->sent),
              static_cast<unsigned long long>(count->skipped));
  return only && count->sent == 0 ? 1 : 0;
}

}  // namespace millrace
