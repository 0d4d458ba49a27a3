#pragma once
#include <string_view>

namespace millrace::web {

/// How a body is compressed on its way.
enum class Coding { identity, gzip, brotli };

/// The smallest coding that an `Accept-Encoding` allows; identity where the header is empty.
Coding accepted_coding(std::string_view accept_encoding);

/// The name of a coding on the wire; identity has none.
std::string_view name_of(Coding coding);

}  // namespace millrace::web
