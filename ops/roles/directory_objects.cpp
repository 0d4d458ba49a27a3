#include "ops/roles/directory_objects.h"

namespace millrace {
namespace {

class LoopDirectory final : public LoopObjects {
 public:
  LoopDirectory(Clock& clock, DirectoryObjectStore& all, bool looks_after)
      : clock_(clock), all_(all), looks_after_(looks_after), port_(all.port(clock)) {}

  ObjectStore& objects() override { return *port_; }
  Task<> run() override {
    if (looks_after_) co_await all_.run(clock_);
  }

 private:
  Clock& clock_;
  DirectoryObjectStore& all_;
  const bool looks_after_;
  std::unique_ptr<ObjectStore> port_;
};

}  // namespace

std::unique_ptr<LoopObjects> DirectoryObjects::on(Clock& clock) {
  return std::make_unique<LoopDirectory>(clock, objects_, !looked_after_.exchange(true));
}

}  // namespace millrace
