#include "shared/memory/store.h"

#include "tests/seams/forwarding_store.h"
#include "tests/seams/store_suite.h"
#include "tests/shared/memory/direct_link.h"

namespace millrace {
namespace {

struct Wired {
  Wired(Clock& clock, memory::Tables& tables, std::recursive_mutex& mutex, const memory::Bugs& bugs)
      : link(clock, mutex), store(clock, tables, link, bugs) {}

  memory::DirectLink link;
  MemoryStore store;
};

/// A port and the link it goes over.
class Port final : private Wired, public ForwardingStore {
 public:
  Port(Clock& clock, memory::Tables& tables, std::recursive_mutex& mutex, const memory::Bugs& bugs)
      : Wired(clock, tables, mutex, bugs), ForwardingStore(store) {}
};

class MemoryWorld final : public StoreWorld {
 public:
  std::unique_ptr<Store> port(Clock& clock) override {
    return std::make_unique<Port>(clock, tables_, mutex_, none_);
  }
  std::unique_ptr<Store> other_process(Clock& clock) override { return port(clock); }

 private:
  const memory::Bugs none_;
  std::recursive_mutex mutex_;
  memory::Tables tables_{[] { return WallTime(1h); }, std::string(32, 'a'), none_};
};

std::unique_ptr<StoreWorld> make_memory_world() {
  return std::make_unique<MemoryWorld>();
}

INSTANTIATE_TEST_SUITE_P(Memory, StoreSuite, testing::Values(make_memory_world));

}  // namespace
}  // namespace millrace
