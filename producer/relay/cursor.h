#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/contract/event.h"

namespace millrace::relay {

/// Where a stream of several jobs stands: each job that has not ended, and its last event.
using Cursor = std::vector<std::pair<JobId, Seq>>;

/// The cursor of a stream whose jobs have all ended. Never empty text: an empty id would make
/// the client forget its place.
inline constexpr std::string_view cursor_at_end = "end";

/// `job:seq` pairs with commas between them; `end` for none.
std::string to_text(const Cursor& cursor);
/// Nothing on anything else: a wrong id, a number above 2^53, a job twice, more than
/// `limits::jobs_per_stream_max` jobs.
std::optional<Cursor> parse_cursor(std::string_view text);

/// A place in one job: a decimal number of at most 2^53; nothing on anything else.
std::optional<Seq> parse_seq(std::string_view text);

/// The cursor's text, kept so that a step of one job costs no formatting of the others.
class CursorText {
 public:
  void set(const JobId& id, Seq seq);
  void remove(const JobId& id);
  void append_to(std::string& out) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    JobId id;
    std::string text;  ///< `job:seq`
  };
  std::vector<Entry> entries_;
};

}  // namespace millrace::relay
