#include "shared/disk/segment_event_log.h"

#include "shared/runtime/loop_clock.h"
#include "tests/seams/event_log_edges_suite.h"
#include "tests/seams/event_log_readers_suite.h"
#include "tests/seams/event_log_suite.h"
#include "tests/shared/disk/segment_log_loss.h"
#include "tests/shared/disk/temp_folder.h"

namespace millrace {
namespace {

class SegmentWorld final : public LogWorld {
 public:
  std::unique_ptr<EventLog> port(Clock& clock, Nursery&) override {
    return std::make_unique<SegmentEventLog>(clock, log_);
  }
  void lose(const JobId& id) override { disk::SegmentLogLoss::lose(log_, id); }
  void lose_last_event(const JobId& id) override {
    const auto page = log_.read(id, 0, WallTime(), disk::Patience::any);
    ASSERT_TRUE(page);
    EventLine last;
    for (std::string_view rest = page->lines; next_event(rest, last);) {
    }
    disk::SegmentLogLoss::lose_last(log_, id, last.whole);
  }

 private:
  TempFolder folder_;
  disk::SegmentLog log_{{.folder = folder_ / "events", .lease_for = lease_for}, WallTime()};
};

std::unique_ptr<LogWorld> make_segment_world() {
  return std::make_unique<SegmentWorld>();
}

INSTANTIATE_TEST_SUITE_P(Segments, EventLogSuite, testing::Values(make_segment_world));

}  // namespace
}  // namespace millrace
