#pragma once
#include "shared/memory/event_log.h"
#include "shared/memory/job_queue.h"
#include "shared/memory/object_store.h"
#include "shared/memory/store.h"
#include "tests/seams/fake_sessions.h"
#include "tests/simulation/leased_store.h"
#include "tests/simulation/model.h"
#include "workers/pool/worker.h"

namespace millrace::sim {

/// One worker process: the real pool on in-memory ports.
class WorkerHost {
 public:
  struct Options {
    std::uint32_t jobs_in_flight = 8;
    LlmContinue llm_continue = LlmContinue::rewind;
    bool leases_are_known = true;  ///< none ends before its holder can know
  };
  WorkerHost(World& world, Process& process, Servers& servers, Options options);
  WorkerHost(const WorkerHost&) = delete;
  WorkerHost& operator=(const WorkerHost&) = delete;

  void start() { root_.start(live()); }
  /// SIGTERM: hands over and leaves.
  void drain();
  /// kill -9.
  void kill();
  bool ended() const { return root_.size() == 0; }
  Process& process() { return process_; }

 private:
  Task<> live();
  Task<> work();
  Wire& wire(Host& host);

  World& world_;
  Process& process_;
  MemoryJobQueue queue_;
  MemoryStore store_;
  LeasedStore leased_store_;
  FakeSessions sessions_;
  MemoryEventLog log_;
  SimModel model_;
  MemoryObjectStore objects_;
  LargeInputs inputs_;
  QuietRoom room_;
  WorkerCounts counts_;
  Worker worker_;
  Nursery nursery_;
  Nursery root_;
};

}  // namespace millrace::sim
