#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "shared/runtime/time.h"

namespace millrace {

/// What the simulator has seen, so that tests can prove that nothing was paid twice (P4) and that
/// a cancel closed the socket (P7).
class SimStats {
 public:
  struct PerJob {
    std::uint64_t requests = 0;
    std::uint64_t tokens_asked = 0;
    std::uint64_t tokens_sent = 0;
    std::optional<WallTime> closed_early;  ///< when its client left a stream that had not ended
  };

  // `job` may be empty.
  void asked(const std::string& job, std::uint64_t tokens);
  void sent(const std::string& job, std::uint64_t tokens);
  void client_left(const std::string& job, WallTime when);
  void fault(std::string_view name) { ++faults_[std::string(name)]; }

  void answer_begins(bool streamed);
  void answer_ends(bool streamed);

  /// Forgets everything but which answers are running.
  void reset();
  std::string json() const;

 private:
  /// Null for requests without a sane job, and for jobs beyond the bound.
  PerJob* counts_of(const std::string& job);

  std::uint64_t requests_ = 0;
  std::uint64_t tokens_asked_ = 0;
  std::uint64_t tokens_sent_ = 0;
  std::uint64_t client_closes_ = 0;
  std::uint32_t in_flight_ = 0;
  std::uint32_t in_flight_max_ = 0;
  std::uint32_t open_streams_ = 0;
  std::map<std::string, std::uint64_t> faults_;
  std::unordered_map<std::string, PerJob> jobs_;
};

}  // namespace millrace
