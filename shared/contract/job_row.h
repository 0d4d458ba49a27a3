#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "shared/contract/job.h"

namespace millrace {

/// What a table of jobs takes from a Job, copied for another thread with one allocation.
class JobRow {
 public:
  JobRow(const Job& job, std::string_view fingerprint);

  const JobId& id() const { return id_; }
  std::int64_t created_at_ms() const { return created_at_ms_; }
  std::int64_t deadline_ms() const { return deadline_ms_; }
  std::string_view tenant() const { return part(0); }
  std::string_view kind() const { return part(1); }
  std::string_view session() const { return part(2); }
  std::string_view model() const { return part(3); }
  std::string_view envelope() const { return part(4); }
  std::string_view fingerprint() const { return part(5); }
  bool kept() const { return kept_; }
  /// It answers a message of its session.
  bool is_turn() const { return is_turn_; }
  std::size_t bytes() const { return text_.size(); }

 private:
  std::string_view part(std::size_t i) const {
    const std::size_t from = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(text_).substr(from, ends_[i] - from);
  }

  JobId id_;
  std::int64_t created_at_ms_;
  std::int64_t deadline_ms_;
  bool kept_;
  bool is_turn_;
  std::string text_;
  std::array<std::uint32_t, 6> ends_{};
};

}  // namespace millrace
