#pragma once
#include <string>
#include <string_view>

#include "shared/contract/problem.h"
#include "shared/runtime/time.h"

/// What the server itself has to say against a request.
namespace millrace::http {

Problem not_found(const std::string& served);
Problem wrong_method(const std::string& allow);
Problem bad_path();
Problem internal_error();
Problem too_slow(std::string_view what, Duration allowed);
/// A body that came too slowly on average.
Problem too_slow_a_body(Duration grace, std::size_t bytes_per_s_min);
Problem bodies_full();
Problem too_many_connections(std::size_t allowed);

}  // namespace millrace::http
