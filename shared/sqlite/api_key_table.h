#pragma once
#include <string>
#include <vector>

#include "shared/api_keys.h"
#include "shared/sqlite/database.h"

namespace millrace::sqlite {

/// The statements of the API keys over one connection; as with JobTable.
class ApiKeyTable {
 public:
  explicit ApiKeyTable(Database& database) : database_(database) {}

  Result<ApiKey> add(const ApiKey& key);
  Result<ApiKey> revoke(const std::string& id, WallTime now);
  Result<std::vector<ApiKey>> changed_since(std::int64_t version, std::uint32_t limit);
  Result<> note_used(const std::string& id, WallTime when);

 private:
  Result<ApiKey> find(const std::string& id);
  Result<std::int64_t> number(const char* sql);

  Database& database_;
};

}  // namespace millrace::sqlite
