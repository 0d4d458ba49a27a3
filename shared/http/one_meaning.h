#pragma once
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "shared/http/message.h"

namespace millrace::http {

/// A part of a request that would be dropped in silence.
struct Unheard {
  std::string name;    ///< of the header or parameter, cut to what a person reads
  std::string detail;  ///< a sentence for the client
};

/// The first of `names` (as they are written in answers) that the request has twice: which one
/// counts would be a guess.
std::optional<Unheard> header_given_twice(const Request& request,
                                          std::initializer_list<std::string_view> names);

/// The first parameter of the query that is not one of `known`, or is given twice.
std::optional<Unheard> unheard_parameter(const Request& request,
                                         std::initializer_list<std::string_view> known);

}  // namespace millrace::http
