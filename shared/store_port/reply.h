#pragma once
#include <boost/system/error_code.hpp>

#include "shared/runtime/error.h"

namespace millrace {

/// What a finished wait carries when the reply of a store's thread has come.
inline const auto replied = boost::system::errc::make_error_code(boost::system::errc::interrupted);

/// True for what the tables answer, as against what they could not do.
constexpr bool is_answer(Errc error) {
  return error == Errc::not_found || error == Errc::fenced || error == Errc::conflict;
}

}  // namespace millrace
