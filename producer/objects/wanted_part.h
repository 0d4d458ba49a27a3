#pragma once
#include <string_view>

#include "shared/object_store.h"

namespace millrace {

/// What of an object a request asks for.
struct WantedPart {
  enum class What : std::uint8_t { whole, part, nothing };  ///< nothing: 416
  What what = What::whole;
  ByteRange range{};  ///< of a part: within the object, never empty
};

/// Reads a `Range` header (RFC 9110, 14.2) against an object of `size` bytes. What is not one range
/// of bytes is not heard, as the standard allows: several ranges, other units, what does not parse.
WantedPart wanted_part(std::string_view header, std::uint64_t size);

}  // namespace millrace
