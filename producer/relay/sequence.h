#pragma once
#include <string>
#include <string_view>

#include "producer/relay/tail.h"
#include "shared/event_log.h"

namespace millrace::relay {

/// One job's events brought into order: what arrives live (late, twice, with holes) and what is
/// read from the log go in, the tail of frames without hole or duplicate comes out. No I/O.
///
/// It starts without a base: only a page of the log says where the job stands. After that live
/// lines are taken as long as each follows the last; one that does not is kept until the log has
/// been read from `last()`.
class Sequence {
 public:
  explicit Sequence(const JobId& id) : id_(id) {}

  /// Takes live lines. False: the log has to be read from `last()`. While it is being read
  /// (`reading`), lines only wait.
  bool take_live(std::string_view lines, bool reading);

  /// Takes what the log holds after `last()`, or after any number when there is no base yet,
  /// then the live lines that waited. False: read once more from `last()`.
  bool take_page(const LogPage& page);

  /// Takes the line of the terminal event that was made from the Store: the log has gone, and
  /// what it held beyond the tail with it.
  void take_stored_end(std::string_view terminal_line);

  const JobId& id() const { return id_; }
  const Tail& tail() const { return tail_; }
  Seq last() const { return tail_.last(); }
  bool based() const { return based_; }
  bool ended() const { return ended_; }  ///< the last event is the terminal one
  bool log_gone() const { return log_gone_; }

 private:
  enum class Source { live, log };
  /// Takes lines up to a jump (a live one) or the end; returns what is left.
  std::string_view take(std::string_view lines, Source source);
  void keep(std::string_view lines);

  JobId id_;
  Tail tail_;
  std::string waiting_;       ///< live lines that cannot be taken yet
  bool waiting_cut_ = false;  ///< some were dropped: too many
  Seq jump_ = 0;              ///< the line the last read was made for
  bool based_ = false;
  bool ended_ = false;
  bool log_gone_ = false;
};

}  // namespace millrace::relay
