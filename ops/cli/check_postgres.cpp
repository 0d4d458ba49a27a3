#include <fmt/format.h>

#include "ops/cli/checks.h"
#include "shared/postgres/examination.h"
#include "shared/runtime/config_value.h"

namespace millrace::cli {
namespace {

using Verdict = Check::Verdict;

/// Three a process, and somebody who wants to look.
constexpr int connections_wanted = 10;

Check server(const postgres::Examination& found, const std::string& name) {
  Check check{"postgres", Verdict::ok, fmt::format("version {} at {}", found.server, name)};
  if (found.standby) {
    check.verdict = Verdict::fail;
    check.says += " is a standby, which takes no writes";
    check.remedy = "name the primary by DATABASE_URL, or both and target_session_attrs=read-write";
  } else if (!found.syncs) {
    check.verdict = Verdict::warn;
    check.says += ", fsync is off: a crash of its machine loses what was answered";
    check.remedy = "set `fsync = on`";
  } else if (found.connections_left < connections_wanted) {
    check.verdict = Verdict::warn;
    check.says +=
        fmt::format(", {} connections are left, a process takes three", found.connections_left);
    check.remedy = "raise `max_connections`";
  }
  return check;
}

Check tables(const postgres::Examination& found) {
  if (found.version == 0)
    return {"store", Verdict::fail, "the database has no tables of millrace",
            "run `millrace migrate`, or check DATABASE_URL"};
  if (found.version > found.newest)
    return {"store", Verdict::warn,
            fmt::format("version {}, newer than this build's {}", found.version, found.newest),
            "run the newer millrace"};
  return {"store", Verdict::ok,
          fmt::format("version {}{}", found.version,
                      found.version < found.newest ? "; the next start migrates it" : "")};
}

}  // namespace

Checks check_postgres(const Config& config) {
  const std::string name = config_value::without_password(config.database_url);
  const auto found = postgres::examine(config.database_url);
  if (!found)
    return {
        {"postgres", Verdict::fail, fmt::format("no use of {}: {}", name, found.error()),
         "start it, or correct DATABASE_URL (postgres://[user[:password]@]host[:port]/database)"}};
  return {server(*found, name), tables(*found)};
}

}  // namespace millrace::cli
