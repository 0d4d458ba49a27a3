#include "shared/memory/object_store.h"

#include "tests/seams/edge_fetch.h"
#include "tests/seams/object_store_suite.h"
#include "tests/shared/memory/direct_link.h"

namespace millrace {
namespace {

class MemoryObjectWorld final : public ObjectStoreWorld {
 public:
  std::unique_ptr<ObjectStore> port(Clock& clock) override {
    links_.push_back(std::make_unique<memory::DirectLink>(clock, mutex_));
    return std::make_unique<MemoryObjectStore>(clock, objects_, *links_.back(), signer_);
  }
  std::unique_ptr<ObjectStore> other_process(Clock& clock) override { return port(clock); }
  Fetched fetch(TestLoop& loop, const std::string& link, Duration later) override {
    return edge_fetch(loop, *port(loop.clock()), signer_, link, later);
  }

 private:
  const LinkSigner signer_{"a secret"};
  std::recursive_mutex mutex_;
  memory::Objects objects_;
  std::vector<std::unique_ptr<memory::DirectLink>> links_;
};

std::unique_ptr<ObjectStoreWorld> make_memory_world() {
  return std::make_unique<MemoryObjectWorld>();
}

INSTANTIATE_TEST_SUITE_P(Memory, ObjectStoreSuite, testing::Values(make_memory_world));

}  // namespace
}  // namespace millrace
