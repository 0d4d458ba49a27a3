#pragma once
#include <string>
#include <string_view>

#include "shared/http/message.h"

namespace millrace::access {

/// The key a request shows: that of `Authorization: Bearer …`, else that of `X-API-Key`; empty
/// where it shows none.
std::string_view presented_key(const http::Request& request);

/// Whom an address stands for where rates are kept by address: an IPv6 one for its /64, which is
/// one customer's, an IPv4 one that is written as IPv6 for itself.
std::string address_group(std::string_view address);

}  // namespace millrace::access
