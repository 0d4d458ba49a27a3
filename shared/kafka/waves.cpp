#include "shared/kafka/waves.h"

#include <algorithm>
#include <utility>

#include "shared/kafka/send.h"

namespace millrace::kafka {

bool Waves::add(Record& record) {
  const std::size_t bytes = record.key.size() + record.value.size();
  if (waiting_bytes_ + bytes > bytes_max_) return false;
  waiting_bytes_ += bytes;
  leave_by_ = waiting_.empty() ? record.leave_by : std::min(leave_by_, record.leave_by);
  waiting_.push_back(std::move(record));
  return true;
}

std::vector<Record> Waves::next(Instant now) {
  if (waiting_.empty() || now < leave_by_) return {};
  if (on_its_way_ > 0 && now - left_ < patience_) return {};
  ++wave_;
  on_its_way_ = waiting_.size();
  left_ = now;
  waiting_bytes_ = 0;
  for (auto& record : waiting_) record.send->wave = wave_;
  return std::exchange(waiting_, {});
}

void Waves::ended(std::uint64_t wave) {
  if (wave == wave_ && on_its_way_ > 0) --on_its_way_;
}

}  // namespace millrace::kafka
