#pragma once
#include <expected>
#include <string>

namespace millrace::postgres {

/// What a database says of itself and of the Store in it.
struct Examination {
  std::string server;        ///< Postgres's version
  int version = 0;           ///< of the schema; 0: none of ours
  int newest = 0;            ///< that this build knows
  std::string id;            ///< of the Store; empty where there is none
  bool standby = false;      ///< takes no writes
  bool syncs = false;        ///< what is committed is on a disk
  int connections_left = 0;  ///< beside those in use, and those kept for administrators
};

/// Changes nothing; blocks, at most ten seconds. The error is a sentence in Postgres's words, which
/// hold no password.
std::expected<Examination, std::string> examine(const std::string& url);

}  // namespace millrace::postgres
