#include "shared/memory/store.h"

#include "tests/seams/store_suite.h"
#include "tests/shared/memory/direct_link.h"

namespace millrace {
namespace {

/// A port and the link it goes over.
class Port final : public Store {
 public:
  Port(Clock& clock, memory::Tables& tables, std::recursive_mutex& mutex, const memory::Bugs& bugs)
      : link_(clock, mutex), store_(clock, tables, link_, bugs) {}

  Result<> note_accepted(const Job& job, std::string_view fingerprint) override {
    return store_.note_accepted(job, fingerprint);
  }
  Task<Result<BegunJob>> begin(const Job& job, std::uint32_t attempt) override {
    return store_.begin(job, attempt);
  }
  Task<Result<>> save_step(const JobId& id, const Step& step) override {
    return store_.save_step(id, step);
  }
  Task<Result<Finished>> finish(const Job& job, const Outcome& outcome, const Step* step) override {
    return store_.finish(job, outcome, step);
  }
  Task<Result<StoredJob>> want_cancel(std::string_view tenant, const JobId& id) override {
    return store_.want_cancel(tenant, id);
  }
  Task<Result<StoredJob>> find(std::string_view tenant, const JobId& id) override {
    return store_.find(tenant, id);
  }
  Task<Result<StoredJob>> find_noted(std::string_view tenant, const JobId& id) override {
    return store_.find_noted(tenant, id);
  }
  Task<Result<std::vector<StoredJob>>> list(const JobFilter& filter) override {
    return store_.list(filter);
  }
  std::string id() const override { return store_.id(); }
  bool healthy() const override { return store_.healthy(); }

 private:
  memory::DirectLink link_;
  MemoryStore store_;
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
