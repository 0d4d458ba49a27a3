#pragma once
#include "shared/store.h"

namespace millrace {

/// A Store that hands each call on to another, for a test that changes one of them.
class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(Store& to) : to_(to) {}

  Result<> note_accepted(const Job& job, std::string_view fingerprint) override {
    return to_.note_accepted(job, fingerprint);
  }
  Task<Result<BegunJob>> begin(const Job& job, std::uint32_t attempt) override {
    return to_.begin(job, attempt);
  }
  Task<Result<>> save_step(const JobId& id, const Step& step) override {
    return to_.save_step(id, step);
  }
  Task<Result<Finished>> finish(const Job& job, const Outcome& outcome, const Step* step) override {
    return to_.finish(job, outcome, step);
  }
  Task<Result<StoredJob>> want_cancel(std::string_view tenant, const JobId& id) override {
    return to_.want_cancel(tenant, id);
  }
  Task<Result<>> redact(const Job& job) override { return to_.redact(job); }
  Task<Result<std::vector<StoredJob>>> unkept(WallTime ended_before, std::uint32_t limit) override {
    return to_.unkept(ended_before, limit);
  }
  Task<Result<StoredJob>> find(std::string_view tenant, const JobId& id) override {
    return to_.find(tenant, id);
  }
  Task<Result<StoredJob>> find_noted(const JobId& id) override { return to_.find_noted(id); }
  Task<Result<std::vector<StoredJob>>> list(const JobFilter& filter) override {
    return to_.list(filter);
  }
  Task<Result<std::uint64_t>> live_jobs(std::string_view tenant, std::uint64_t most) override {
    return to_.live_jobs(tenant, most);
  }
  std::string id() const override { return to_.id(); }
  bool healthy() const override { return to_.healthy(); }

 private:
  Store& to_;
};

}  // namespace millrace
