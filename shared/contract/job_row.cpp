#include "shared/contract/job_row.h"

namespace millrace {

JobRow::JobRow(const Job& job, std::string_view fingerprint)
    : id_(job.id),
      created_at_ms_(job.created_at.time_since_epoch().count()),
      deadline_ms_(job.deadline.time_since_epoch().count()),
      kept_(job.kept),
      is_turn_(job.context && !job.session.empty()) {
  const std::array<std::string_view, 6> parts{job.tenant, job.kind,     job.session,
                                              job.model,  job.envelope, fingerprint};
  std::size_t bytes = 0;
  for (const auto part : parts) bytes += part.size();
  text_.reserve(bytes);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    text_ += parts[i];
    ends_[i] = static_cast<std::uint32_t>(text_.size());
  }
}

}  // namespace millrace
