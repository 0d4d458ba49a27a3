#pragma once
#include <expected>
#include <string>
#include <string_view>

namespace millrace {

/// The file a DATABASE_URL names: a path (`chatbot.db`), `sqlite:path`, or `sqlite:///path` as
/// SQLAlchemy reads it (three slashes: from the working folder; four: from the root). Else a
/// sentence that says what is wrong and what is allowed.
std::expected<std::string, std::string> sqlite_path(std::string_view url);

}  // namespace millrace
