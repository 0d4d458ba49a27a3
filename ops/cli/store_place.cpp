#include "ops/cli/store_place.h"

#include <filesystem>

#include "ops/cli/checks.h"
#include "ops/data/data_folder.h"
#include "shared/postgres/postgres_store.h"
#include "shared/runtime/config_value.h"

namespace millrace::cli {

StorePlace store_place(const Config& config) {
  namespace fs = std::filesystem;
  const std::string& url = config.database_url;
  StorePlace place;
  if (postgres::is_url(url)) {
    place.name = config_value::without_password(url);
    return place;
  }
  std::error_code unknown;
  const auto path = fs::absolute(url, unknown).lexically_normal();
  place.name = path.string();
  place.there = fs::exists(path, unknown);
  const auto folder = fs::absolute(config.data, unknown).lexically_normal();
  place.alone = embedded(config) && path == folder / "millrace.db";
  if (place.alone) place.server = DataFolder::holder(config.data).value_or("");
  return place;
}

}  // namespace millrace::cli
