#pragma once
#include "workers/pool/run_job.h"
#include "workers/pool/run_keeper.h"

namespace millrace {

/// Takes jobs from the queue of one loop and runs each to its verdict, up to `jobs_in_flight` at
/// once, while log and Store answer. Begins nothing new once `drain` is called; what is running
/// then has `drain_grace` to end before it is handed over. Belongs to the loop of its clock.
class Worker {
 public:
  /// Cancels are heard from here on. The parts outlive the worker.
  explicit Worker(WorkerParts parts);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Returns once nothing is in hand: after `drain`, or when the queue has closed.
  Task<> run();
  /// Takes no more jobs and lets `run` end. Twice is the same as once.
  void drain();

  std::size_t in_hand() const { return in_hand_; }

 private:
  Task<> take();
  Task<> wait_until_it_can_work();
  Task<> work(Delivery delivery);
  Task<> run_among_others(const Delivery& delivery, bool& suspect);
  Task<> run_alone(const Delivery& delivery);
  Task<> run_once(const Delivery& delivery, bool alone, bool& suspect);
  Task<> finish_in_hand();

  WorkerParts parts_;
  RunKeeper keeper_;
  Nursery taking_;
  Nursery jobs_;
  Nursery keeping_;
  Signal changed_;  ///< a job ended, or the drain began
  std::size_t in_hand_ = 0;
  bool draining_ = false;
};

}  // namespace millrace
