#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "shared/contract/job.h"
#include "shared/kafka/client_settings.h"

namespace millrace::kafka {

/// A dead letter that was sent again, acknowledged in its topic.
struct Redriven {
  std::optional<JobId> from;  ///< the job it was; nothing where nobody can read it
  std::optional<Job> job;     ///< the job it is now (contract/redriven.h)
  std::int32_t partition = 0;
  std::int64_t offset = 0;
};

struct RedriveCount {
  std::uint64_t sent = 0;     ///< those told
  std::uint64_t skipped = 0;  ///< neither readable nor from a topic of ours: they stay
};

/// Sends the dead letters of the installation named by `prefix` again. The job of a letter has
/// ended, so its work goes to the queue as a new job. What cannot be read goes back, byte by byte,
/// to the topic it came from (header `millrace-origin`) for a newer worker to read.
///
/// Without `only`: those not sent before, up to the end of the topic as it is now; remembered by
/// the committed offsets of the group `<prefix>.redrive`, per partition and only after every copy
/// was acknowledged. An interrupted run sends some again under the same new ids, and loses none.
/// With `only`: that job, once, under another new id each time; remembered nowhere.
///
/// `tell` is called for each, in no order. The error is a sentence for the operator. Blocks; not
/// for a loop; one at a time.
std::expected<RedriveCount, std::string> redrive(const ClientSettings& settings,
                                                 const std::string& prefix,
                                                 const std::optional<JobId>& only,
                                                 const std::function<void(const Redriven&)>& tell);

}  // namespace millrace::kafka
