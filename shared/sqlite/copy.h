#pragma once
#include <expected>
#include <string>

namespace millrace::sqlite {

/// Copies the file at `from` to `to` as it stands at one moment, whoever writes to it meanwhile;
/// nobody waits for it. The copy is one file that needs no journal, synced by nobody yet. What is
/// at `to` is written over. The error is a sentence that names the file; damage is one.
std::expected<void, std::string> copy_database(const std::string& from, const std::string& to);

}  // namespace millrace::sqlite
