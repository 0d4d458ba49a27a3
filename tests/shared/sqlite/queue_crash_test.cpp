#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <set>

#include "tests/shared/sqlite/queue_world.h"

namespace millrace {
namespace {

constexpr int writers = 16;
constexpr int sessions = 5;

/// What the child tells before it is killed.
struct Told {
  JobId id;
  enum class What : std::uint8_t { queued, given } what;
};

void tell(int to, const Told& told) {
  (void)!write(to, &told, sizeof told);
}

Task<> put_and_tell(QueueStage& stage, JobQueue& queue, int writer, int told) {
  for (int i = 0;; ++i) {
    const int turn = (writer + i) % (2 * sessions);
    const Job job = stage.job(turn < sessions ? "session-" + std::to_string(turn) : "");
    const auto queued = co_await queue.enqueue(job);
    if (queued) tell(told, {job.id, Told::What::queued});
  }
}

/// Takes a third as many as come, so that a backlog grows.
Task<> take_and_tell(QueueStage& stage, JobQueue& queue, int told) {
  for (;;) {
    auto delivery = co_await queue.next();
    tell(told, {delivery->job.id, Told::What::given});
    (void)co_await queue.settle(*delivery, Done{});
    co_await stage.clock.sleep_for(300us);
  }
}

[[noreturn]] void work_until_killed(const std::string& path, int told) {
  TestLoop loop;
  SqliteQueueWorld none;
  QueueStage stage(none, loop.clock());
  SqliteQueueProcess process(path);
  const auto queue = process.port(loop.clock());
  std::vector<Task<>> tasks;
  for (int i = 0; i < writers; ++i) tasks.push_back(put_and_tell(stage, *queue, i, told));
  tasks.push_back(take_and_tell(stage, *queue, told));
  loop.run(std::move(tasks));
  _exit(1);
}

std::vector<Told> kill_after(const std::string& path, std::size_t lines) {
  std::array<int, 2> pipe_ends{};
  EXPECT_EQ(pipe(pipe_ends.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(pipe_ends[0]);
    work_until_killed(path, pipe_ends[1]);
  }
  close(pipe_ends[1]);
  std::vector<Told> told;
  Told one{};
  while (read(pipe_ends[0], &one, sizeof one) == sizeof one) {
    told.push_back(one);
    if (told.size() == lines) kill(child, SIGKILL);
  }
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  return told;
}

/// Takes all there is; the order is that of the deliveries.
Task<> drain(QueueStage& stage, SqliteQueueProcess& process, std::vector<Job>& found) {
  const auto queue = process.port(stage.clock);
  while (process.queue().waiting() > 0) {
    auto delivery = co_await queue->next();
    found.push_back(delivery->job);
    const auto settled = co_await queue->settle(*delivery, Done{});
    EXPECT_TRUE(settled);
  }
}

void expect_all(const std::vector<Told>& told, const std::vector<Job>& found) {
  std::set<JobId> given;
  for (const auto& one : told)
    if (one.what == Told::What::given) given.insert(one.id);
  std::set<JobId> there;
  for (const auto& job : found) EXPECT_TRUE(there.insert(job.id).second) << "twice";
  for (const auto& one : told) {
    if (one.what == Told::What::queued)
      EXPECT_TRUE(there.contains(one.id) || given.contains(one.id)) << one.id.str();
  }
}

/// Of a session what was given before comes again first, in the order in which it was given.
void expect_order(const std::vector<Told>& told, const std::vector<Job>& found) {
  std::map<JobId, std::size_t> given_at;
  for (const auto& one : told)
    if (one.what == Told::What::given) given_at.emplace(one.id, given_at.size());
  std::map<std::string, std::size_t> last;
  for (const auto& job : found) {
    if (job.session.empty()) continue;
    const auto at = given_at.find(job.id);
    if (at == given_at.end()) {
      last[job.session] = SIZE_MAX;
      continue;
    }
    EXPECT_NE(last[job.session], SIZE_MAX) << "one given before comes behind one that was not";
    EXPECT_GE(at->second, last[job.session]);
    last[job.session] = at->second;
  }
}

TEST(SqliteQueueCrash, WhatWasAnsweredIsThereOnceAfterAKill) {
  SystemRandom random;
  for (int round = 0; round < 3; ++round) {
    const TemporaryFolder folder;
    const auto path = folder.path("store.db");
    std::vector<Told> told;
    // Each kill leaves the next its file as it was, with its WAL.
    for (int kills = 0; kills < 2; ++kills) {
      const std::size_t lines = 1 + random.next() % 3000;
      SCOPED_TRACE("killed after " + std::to_string(lines));
      const auto more = kill_after(path, lines);
      told.insert(told.end(), more.begin(), more.end());
    }
    TestLoop loop;
    SqliteQueueWorld none;
    QueueStage stage(none, loop.clock());
    SqliteQueueProcess process(path);
    std::vector<Job> found;
    loop.run_one(drain(stage, process, found));
    expect_all(told, found);
    expect_order(told, found);
  }
}

}  // namespace
}  // namespace millrace
