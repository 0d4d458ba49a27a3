#pragma once
#include <deque>

#include "shared/contract/event.h"
#include "tests/simulation/cluster.h"
#include "tests/simulation/reader_view.h"

namespace millrace::sim {

/// What a client knows of one job it was promised.
struct Promise {
  const JobPlan* plan = nullptr;
  JobId id;
  Instant accepted_at{};
  std::optional<Instant> cancel_sent;
  std::optional<Instant> cancelled_at;  ///< 200 came: the job has ended
  int cancel_status = 0;
  std::vector<const ReaderView*> readers;
};

/// All clients of a run, in one process that is never harmed: they submit, cancel, read and come
/// back as the plan says.
class Clients {
 public:
  Clients(World& world, Cluster& cluster, const Plan& plan);
  ~Clients();
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;

  /// Nobody wants anything any more.
  bool idle() const { return tasks_.size() == 0; }
  void stop();

  const std::deque<Promise>& promises() const { return promises_; }
  const std::deque<ReaderView>& views() const { return views_; }

 private:
  struct Answer {
    int status = 0;  ///< 0: the connection broke, or nothing came in time
    std::string body;
  };

  Task<> submit(const JobPlan& plan);
  Task<> submit_once(const JobPlan& plan, std::string body);
  Task<Answer> ask(http::Request request, Duration patience);
  std::shared_ptr<Exchange> open(http::Request request);
  void promised(const JobPlan& plan, const Answer& answer);
  void check_waited(const Answer& answer);
  Task<> cancel(Promise& promise);
  Task<> read(Promise& promise, ReaderPlan plan, ReaderView& view);
  Task<bool> read_once(const ReaderPlan& plan, ReaderView& view, bool cut);
  Task<> expect_no_content(ReaderView& view);

  World& world_;
  Cluster& cluster_;
  const Plan& plan_;
  Process& process_;
  Nursery tasks_;
  std::deque<Promise> promises_;  ///< addresses stay
  std::deque<ReaderView> views_;
};

}  // namespace millrace::sim
