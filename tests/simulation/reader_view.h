#pragma once
#include <optional>
#include <string>

#include "shared/contract/event.h"
#include "tests/simulation/world.h"

namespace millrace::sim {

/// What one reader of one job has seen over all its connections, as EventSource would take it:
/// frames that were cut are forgotten. Breaks the run as soon as a promise to readers is not kept.
class ReaderView {
 public:
  /// `snapshot`: of the past it wants the text as a whole, so events of the text are left out.
  ReaderView(World& world, JobId id, std::string name, bool snapshot)
      : world_(world), id_(id), name_(std::move(name)), snapshot_(snapshot) {}

  /// A new connection begins.
  void connect() {
    rest_.clear();
    covered_to_ = 0;
  }
  void take(std::string_view bytes);

  const JobId& id() const { return id_; }
  /// As sent back by `Last-Event-ID`.
  Seq last() const { return last_; }
  bool ended() const { return !end_type_.empty(); }
  Instant ended_at() const { return ended_at_; }
  std::string_view end_type() const { return end_type_; }
  const std::string& end_json() const { return end_json_; }
  const std::string& text() const { return fold_.text(); }
  /// A part is missing that nobody has made good for.
  bool has_hole() const { return hole_; }
  bool saw_gap() const { return saw_gap_; }
  const std::string& name() const { return name_; }

 private:
  void take_frame(std::string_view frame);
  void take_event(std::string_view type, std::string_view json, std::optional<Seq> seq);
  void broken(const std::string& how);

  World& world_;
  JobId id_;
  std::string name_;
  bool snapshot_;
  std::string rest_;
  TextFold fold_;
  Seq last_ = 0;
  Seq announced_to_ = 0;  ///< a gap or a snapshot said that nothing need come up to here
  Seq covered_to_ = 0;    ///< by a snapshot that the relay made for this connection
  std::string end_type_;
  std::string end_json_;
  Instant ended_at_{};
  bool hole_ = false;
  bool saw_gap_ = false;
};

}  // namespace millrace::sim
