#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "shared/contract/event.h"

namespace millrace::conversations {

/// Writes one SSE block of a conversation's stream: `data: {"type":…,…,"elapsed":…}`.
class DataLine {
 public:
  DataLine(std::string& out, std::string_view type);
  DataLine& text(std::string_view name, std::string_view value);
  /// `inside` is what stands between the quotes of a JSON string.
  DataLine& escaped(std::string_view name, std::string_view inside);
  /// `json` as it stands.
  DataLine& json(std::string_view name, std::string_view json);
  /// `json` too is `{"name":value,…}`: its members, but for those of the event's head.
  DataLine& members_of(std::string_view event);

  /// `,"elapsed":…` as it stands in the event, where it says so, and the end of the block. With an
  /// id inside the block: a client has both or neither.
  void end(std::string_view event, std::optional<Seq> id = {});

 private:
  std::string& out_;
};

/// A block of an id alone, for clients that take a whole block for one `data:` line: it dispatches
/// no event, and sets what a client comes back with.
void append_id_block(std::string& out, Seq id);

/// The inside of the string that is the last member, `text`, of a `delta`, as it stands.
std::string_view delta_text(std::string_view event);

}  // namespace millrace::conversations
