#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "shared/contract/problem.h"
#include "shared/http/message.h"
#include "shared/runtime/ids.h"

namespace millrace {

/// Why a request was not served, and what the client may do about it.
struct Refusal {
  Problem problem;
  std::chrono::seconds retry_after{0};  ///< 0: no such header
  std::optional<JobId> id;              ///< the job that may nevertheless run
  bool final = false;                   ///< `x-should-retry: false`, for clients that would
};

/// A problem of one of the codes of refusal.cpp, which fix its status and title. `field` is a
/// JSON pointer into the body, or the name of a header or query parameter, or `body`.
Problem make_problem(std::string_view code, std::string field, std::string detail);

Refusal refuse(std::string_view code, std::string field, std::string detail);
/// A refusal that passes: 429, 503 or 507 with `Retry-After`.
Refusal refuse_for_now(std::string_view code, std::string field, std::string detail,
                       std::chrono::seconds retry_after);

Refusal no_such_job(const JobId& id);
Refusal store_away();
Refusal log_away();
/// 507: nothing new is kept until somebody makes room on the server's disk.
Refusal storage_full();
/// What the server writes is lost: its files have been taken away.
Refusal nothing_kept();

/// problem+json; with the member `id` where the refusal names a job.
std::string to_json(const Refusal& refusal);
http::Response to_response(const Refusal& refusal);

/// A client's own text inside a detail: quoted, cut to what a person reads.
std::string quoted(std::string_view text);

}  // namespace millrace
