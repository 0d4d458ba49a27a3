#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "shared/runtime/time.h"

/// What the files of a backup are called, below the data folder as in the archive.
namespace millrace::backup_names {

inline const std::string about = "millrace-backup";  ///< the first: form and time
inline const std::string secret = "secret";
inline const std::string database = "millrace.db";
inline const std::string events = "events/";
inline const std::string objects = "objects/";

/// `events/<digits>.log`.
bool segment(std::string_view name);
/// `objects/<hex>/<hex>`.
bool object(std::string_view name);
/// One of the above: nothing else is ever written into a data folder.
bool known(std::string_view name);

/// The text of the first file, and when the backup was begun as such a text tells, in RFC 3339;
/// nothing for another form's.
std::string about_text(WallTime made_at);
std::optional<std::string> made_at(std::string_view about_text);

}  // namespace millrace::backup_names
