#pragma once
#include <simdjson.h>

#include <string>
#include <string_view>

namespace millrace {

/// Parses JSON whose numbers may have any size. simdjson refuses a document for one number that
/// neither 64 bits nor a double can hold; here such a number is read as 1e99, which every bounded
/// field refuses by its own name, and everything else is read as it is. `RawMembers` has the
/// number as it was written.
simdjson::error_code parse_any_json(simdjson::dom::parser& parser, std::string_view json,
                                    simdjson::dom::element& root);

/// The same text, byte for byte, but for numbers beyond a double and whole ones of more than 18
/// digits: each is `1e99` and spaces.
std::string numbers_in_range(std::string_view json);

}  // namespace millrace
