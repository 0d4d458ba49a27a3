#pragma once
#include <string>

#include "shared/postgres/visit.h"
#include "shared/runtime/random.h"

namespace millrace::postgres {

/// What stands in a database.
struct Standing {
  int version = 0;  ///< of the schema; 0: none of ours
  std::string id;   ///< of the Store; empty where there is none
};

/// What stands there, untouched.
Task<Told<Standing>> standing(Connection& connection);

/// How long a server that is still starting is waited for.
inline constexpr Duration start_awaited = 10s;

/// Connects, brings the tables to the newest version in one transaction, and gives a new Store its
/// id. Safe to repeat, and for many processes at once: they wait for each other by an advisory
/// lock. Where all is done already nothing is written, so a user who may only read and write rows
/// will do. Blocks, at most a minute and a half. The error names the database.
Told<Standing> migrate(const std::string& url, Random& random,
                       Duration open_within = start_awaited);

}  // namespace millrace::postgres
