#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "shared/contract/event.h"

/// Events as bytes of a `text/event-stream` (WHATWG HTML, "Server-sent events"). Pure.
///
/// A frame is `event: <type>`, `data: <one-line JSON>`, `id: <seq>`, an empty line; in this
/// order, because a client that takes the id before the frame is complete would skip the event
/// when it is cut in between. An event's JSON holds no line break, so a frame never needs more
/// than one `data` line and never contains an empty one.
namespace millrace::relay {

/// A comment: keeps proxies from closing a silent stream, invisible to the reader's program.
inline constexpr std::string_view heartbeat = ":\n\n";
/// Put before the first frame of a response, and so inside it: alone it would be dispatched as
/// an event of its own by some clients.
inline constexpr std::string_view retry_line = "retry: 1000\n";

/// The greatest number an event may have (2^53 - 1, exact in every JSON reader). It is the
/// number of a terminal event that was made from the Store after the log had gone: above any
/// number the log gave, the same on every node.
inline constexpr Seq last_seq_possible = (Seq{1} << 53) - 1;

/// How many bytes `write_frame` writes.
std::size_t frame_bytes(const EventLine& event);
/// Writes the frame; returns the end.
char* write_frame(char* to, const EventLine& event);
void append_frame(std::string& out, const EventLine& event);

/// A range of events that no reader can get any more; both ends are in it.
struct Lost {
  Seq from = 0;
  Seq to = 0;
};

/// `gap` and `snapshot` that a relay makes itself: they have no seq and no id, so they never
/// become the place a reader comes back to.
std::string made_gap_json(const JobId& id, Lost lost);
std::string made_snapshot_json(const JobId& id, std::string_view text, Seq upto);
void append_made_frame(std::string& out, std::string_view type, std::string_view json);

/// One frame as views into what `next_frame` walked.
struct Frame {
  std::string_view whole;
  std::string_view head;  ///< the `event` and `data` lines
  std::string_view type;
  std::string_view data;   ///< the JSON
  std::optional<Seq> seq;  ///< none: made by a relay
};

/// Takes the first frame off text that this file wrote. False when none is left.
bool next_frame(std::string_view& frames, Frame& frame);

/// The `to` of a made gap; above every number for any other frame.
Seq gap_end(const Frame& frame);

/// What must be announced before `event` to a reader whose last event is `last`; nothing when
/// it follows, or announces the jump itself (`gap`, `snapshot`).
std::optional<Lost> lost_before(Seq last, const EventLine& event);

/// A page of the log as one reader gets it.
struct FramedPage {
  std::string frames;
  Seq last = 0;  ///< the reader's last event after these
  std::uint64_t events = 0;
  bool ended = false;  ///< the last frame is the terminal event
};

/// Frames what comes after `last`, with a made `gap` wherever events are missing.
FramedPage frame_page(const JobId& id, std::string_view lines, Seq last);

}  // namespace millrace::relay
