#include "producer/relay/cursor.h"

#include <algorithm>
#include <charconv>

#include "shared/runtime/json_text.h"
#include "shared/runtime/limits.h"

namespace millrace::relay {
namespace {

constexpr std::size_t job_text_bytes = 36;

void append_pair(std::string& out, const JobId& id, Seq seq) {
  id.append_to(out);
  out += ':';
  append_number(out, seq);
}

}  // namespace

std::string to_text(const Cursor& cursor) {
  if (cursor.empty()) return std::string(cursor_at_end);
  std::string text;
  for (const auto& [id, seq] : cursor) {
    if (!text.empty()) text += ',';
    append_pair(text, id, seq);
  }
  return text;
}

std::optional<Seq> parse_seq(std::string_view text) {
  Seq seq = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seq);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || seq > Seq{1} << 53) return std::nullopt;
  return seq;
}

std::optional<Cursor> parse_cursor(std::string_view text) {
  Cursor cursor;
  if (text == cursor_at_end) return cursor;
  while (true) {
    const auto end = std::min(text.find(','), text.size());
    const auto pair = text.substr(0, end);
    if (pair.size() < job_text_bytes + 2 || pair[job_text_bytes] != ':') return std::nullopt;
    const auto id = JobId::parse(pair.substr(0, job_text_bytes));
    const auto seq = parse_seq(pair.substr(job_text_bytes + 1));
    if (!id || !seq || cursor.size() == limits::jobs_per_stream_max) return std::nullopt;
    const auto twice = std::ranges::find(cursor, *id, &Cursor::value_type::first);
    if (twice != cursor.end()) return std::nullopt;
    cursor.emplace_back(*id, *seq);
    if (end == text.size()) return cursor;
    text.remove_prefix(end + 1);
  }
}

void CursorText::set(const JobId& id, Seq seq) {
  auto found = std::ranges::find(entries_, id, &Entry::id);
  if (found == entries_.end()) found = entries_.insert(found, Entry{id, {}});
  found->text.clear();
  append_pair(found->text, id, seq);
}

void CursorText::remove(const JobId& id) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.id == id; });
}

void CursorText::append_to(std::string& out) const {
  if (entries_.empty()) out += cursor_at_end;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (i > 0) out += ',';
    out += entries_[i].text;
  }
}

}  // namespace millrace::relay
