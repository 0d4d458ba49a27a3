#pragma once
#include <string>
#include <vector>

#include "shared/api_keys.h"
#include "shared/postgres/connection.h"

namespace millrace::postgres {

/// The statements of the API keys over one connection; as with JobTable.
class ApiKeyTable {
 public:
  explicit ApiKeyTable(Connection& connection) : connection_(connection) {}

  Task<Result<ApiKey>> add(const ApiKey& key);
  Task<Result<ApiKey>> revoke(const std::string& id, WallTime now);
  Task<Result<std::vector<ApiKey>>> changed_since(std::int64_t version, std::uint32_t limit);
  Task<Result<>> note_used(const std::string& id, WallTime when);

 private:
  Task<Result<>> hold_versions();
  Task<Result<ApiKey>> find(const std::string& id);

  Connection& connection_;
};

}  // namespace millrace::postgres
