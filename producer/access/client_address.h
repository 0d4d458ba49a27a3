#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "shared/http/message.h"
#include "shared/runtime/ip_address.h"

namespace millrace::access {

/// Whose request it is, where proxies stand in front: the last address before the trusted ones in
/// X-Forwarded-For, or in `for` of Forwarded (RFC 7239). What stands further left was written by
/// whom nobody vouches for, and is not looked at. The peer itself where it is no trusted proxy,
/// sent neither header, or wrote something that is no address; and where both are there and do not
/// agree, for one of them is then the client's own.
std::string client_address(const http::Request& request, const std::vector<IpRange>& trusted);

}  // namespace millrace::access
