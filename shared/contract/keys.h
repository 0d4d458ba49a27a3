#pragma once
#include <string>
#include <string_view>

#include "shared/runtime/ids.h"

/// Names of everything in Redis. The keys of one job share a hash tag, so one script may touch
/// them on a cluster.
namespace millrace::keys {

std::string job(const JobId& id);     ///< hash: state, token, lease, last seq, …
std::string events(const JobId& id);  ///< stream, and the pub/sub channel of the job
std::string session_live(std::string_view tenant, std::string_view session);
///< sorted set of the session's live jobs, and
///< the channel that announces new ones
std::string worker_control(std::string_view worker);  ///< channel: ids of jobs to look at again
std::string cached(std::string_view name);            ///< string: a value of the SharedCache
std::string bucket(std::string_view name);            ///< hash: tokens, and when they were counted
inline constexpr std::string_view store_id = "mr:store-id";

}  // namespace millrace::keys
