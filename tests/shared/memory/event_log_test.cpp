#include "shared/memory/event_log.h"

#include "tests/seams/event_log_edges_suite.h"
#include "tests/seams/event_log_readers_suite.h"
#include "tests/seams/event_log_suite.h"
#include "tests/shared/memory/direct_link.h"

namespace millrace {
namespace {

class MemoryWorld final : public LogWorld {
 public:
  std::unique_ptr<EventLog> port(Clock& clock, Nursery&) override {
    clock_ = &clock;
    links_.push_back(std::make_unique<memory::DirectLink>(clock, mutex_));
    return std::make_unique<MemoryEventLog>(clock, server_, *links_.back(), *links_.back());
  }
  void lose(const JobId& id) override { server_.lose(id); }
  void lose_last_event(const JobId& id) override { server_.lose_last_event(id); }
  void list_in_session(const Job& job) override { server_.list_in_session(job); }

 private:
  Clock* clock_ = nullptr;
  const memory::Bugs none_;
  std::recursive_mutex mutex_;
  std::vector<std::unique_ptr<memory::DirectLink>> links_;
  memory::LogServer server_{
      [this] { return std::chrono::microseconds(clock_->wall().time_since_epoch()); },
      {.lease_for = lease_for},
      none_};
};

std::unique_ptr<LogWorld> make_memory_world() {
  return std::make_unique<MemoryWorld>();
}

INSTANTIATE_TEST_SUITE_P(Memory, EventLogSuite, testing::Values(make_memory_world));

}  // namespace
}  // namespace millrace
