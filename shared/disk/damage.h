#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "shared/disk/job_log.h"

namespace millrace::disk {

/// Bytes of a segment that do not read as what was written, though more follows them that does.
struct Damage {
  std::uint64_t from = 0;
  std::uint64_t to = 0;  ///< the first byte behind
};

/// By segment.
using Damages = std::map<std::uint32_t, std::vector<Damage>>;

/// True for lines that lie in damaged bytes.
inline bool damaged(const Damages& damages, const Run& run) {
  const auto found = damages.find(run.segment);
  return found != damages.end() && std::ranges::any_of(found->second, [&](const Damage& damage) {
           return run.offset < damage.to && damage.from < std::uint64_t{run.offset} + run.length;
         });
}

}  // namespace millrace::disk
