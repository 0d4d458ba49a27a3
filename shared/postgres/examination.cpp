#include "shared/postgres/examination.h"

#include "shared/postgres/migrations.h"
#include "shared/store_schema.h"

namespace millrace::postgres {
namespace {

constexpr Duration patience = 5s;

constexpr const char* server_sql =
    "SELECT current_setting('server_version'), pg_is_in_recovery(), current_setting('fsync'),"
    " current_setting('max_connections')::integer"
    " - current_setting('superuser_reserved_connections')::integer"
    " - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')";

Task<Told<Examination>> look_around(Connection& connection) {
  const auto found = co_await standing(connection);
  if (!found) co_return std::unexpected(found.error());
  const auto rows = co_await connection.run_once(server_sql, {});
  if (!rows) co_return std::unexpected(connection.failure());
  co_return Examination{.server = rows->text(0, 0),
                        .version = found->version,
                        .newest = migrations().back().version,
                        .id = found->id,
                        .standby = rows->text(0, 1) == "t",
                        .syncs = rows->text(0, 2) == "on",
                        .connections_left = static_cast<int>(rows->number(0, 3))};
}

}  // namespace

std::expected<Examination, std::string> examine(const std::string& url) {
  const auto visit = Visit::open(url, Duration::zero(), patience);
  if (!visit) return std::unexpected(visit.error());
  return (*visit)->get<Examination>(look_around);
}

}  // namespace millrace::postgres
