#pragma once
#include <string>
#include <vector>

#include "shared/runtime/config.h"

namespace millrace::cli {

/// What `doctor` found of one thing that a millrace depends on.
struct Check {
  enum class Verdict { ok, warn, fail };
  std::string name;
  Verdict verdict = Verdict::ok;
  std::string says;
  std::string remedy{};  ///< what to do; empty when it is well
};
using Checks = std::vector<Check>;

/// True where the configuration asks for everything in the data folder.
bool embedded(const Config& config);

// Each looks at one thing, changes nothing and blocks, at most half a minute but for the store,
// which is read as a whole.

/// Which way of running is configured, and whether it is one.
Checks check_settings(const Config& config);
/// Whether the data folder can be written, with room for more, and who has it.
Checks check_data_folder(const Config& config);
/// The Store: SQLite, its file, and whether the file is whole; or Postgres.
Checks check_store(const Config& config);
/// The server, whether it takes and keeps writes, and the tables.
Checks check_postgres(const Config& config);
/// Brokers and topics.
Checks check_kafka(const Config& config);
/// Whether Redis keeps what is written to it, and for which Store.
Checks check_redis(const Config& config);
/// The model's server, or that there is none.
Checks check_model(const Config& config);
/// Whether an edge wants API keys, and knows the one that is set.
Checks check_keys(const Config& config);
/// Whether an edge answers, or could begin to.
Checks check_edge(const Config& config);

}  // namespace millrace::cli
