#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "shared/kafka/client_settings.h"
#include "shared/runtime/ids.h"

namespace millrace::kafka {

struct RedriveCount {
  std::uint64_t sent = 0;     ///< acknowledged in their topics
  std::uint64_t skipped = 0;  ///< with no usable origin or no readable envelope: they stay
};

/// Sends the dead letters of the installation named by `prefix` again, each with its key and value
/// to the topic it came from (header `millrace-origin`), as attempt 1.
///
/// Without `only`: those not sent before, up to the end of the topic as it is now; remembered by
/// the committed offsets of the group `<prefix>.redrive`, per partition and only after every copy
/// was acknowledged, so that an interrupted run sends some again and loses none. With `only`: the
/// letters of that job, remembered nowhere.
///
/// The error is a sentence for the operator. Blocks; not for a loop; one at a time.
std::expected<RedriveCount, std::string> redrive(const ClientSettings& settings,
                                                 const std::string& prefix,
                                                 const std::optional<JobId>& only);

}  // namespace millrace::kafka
