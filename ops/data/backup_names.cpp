#include "ops/data/backup_names.h"

namespace millrace::backup_names {
namespace {

constexpr std::string_view form = "millrace backup 1\n";
constexpr std::string_view time_name = "made ";
constexpr std::string_view segment_end = ".log";
constexpr std::string_view digits = "0123456789";
constexpr std::string_view hex_digits = "0123456789abcdef";

bool only(std::string_view text, std::string_view letters) {
  return !text.empty() && text.find_first_not_of(letters) == text.npos;
}

}  // namespace

bool segment(std::string_view name) {
  if (!name.starts_with(events) || !name.ends_with(segment_end)) return false;
  name.remove_prefix(events.size());
  name.remove_suffix(segment_end.size());
  return only(name, digits);
}

bool object(std::string_view name) {
  if (!name.starts_with(objects)) return false;
  name.remove_prefix(objects.size());
  const auto slash = name.find('/');
  return slash != name.npos && only(name.substr(0, slash), hex_digits) &&
         only(name.substr(slash + 1), hex_digits);
}

bool known(std::string_view name) {
  return name == about || name == secret || name == database || name == events + "store" ||
         segment(name) || object(name);
}

std::string about_text(WallTime made_at) {
  std::string text(form);
  text += time_name;
  append_rfc3339(text, made_at);
  return text + "\n";
}

std::optional<std::string> made_at(std::string_view about_text) {
  if (!about_text.starts_with(form)) return std::nullopt;
  about_text.remove_prefix(form.size());
  if (!about_text.starts_with(time_name) || !about_text.ends_with('\n')) return std::nullopt;
  about_text.remove_suffix(1);
  return std::string(about_text.substr(time_name.size()));
}

}  // namespace millrace::backup_names
