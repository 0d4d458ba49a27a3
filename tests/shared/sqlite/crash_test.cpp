#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "shared/sqlite/sqlite_store.h"
#include "tests/seams/store_jobs.h"
#include "tests/seams/test_loop.h"
#include "tests/shared/sqlite/temporary_folder.h"

namespace millrace {
namespace {

constexpr int writers = 16;
constexpr int jobs_a_writer = 2000;

/// Finishes job after job and tells each one that was answered, until it is killed.
Task<> finish_and_tell(Store& store, int from, int answered) {
  for (int number = from; number < from + jobs_a_writer; ++number) {
    const auto finished =
        co_await store.finish(numbered_job(number), numbered_outcome(number), nullptr);
    if (finished) (void)!write(answered, &number, sizeof number);
  }
}

[[noreturn]] void write_until_killed(const std::string& path, int answered) {
  {
    SystemRandom random;
    TestLoop loop;
    SqliteStore store(path, random);
    const auto port = store.port(loop.clock());
    std::vector<Task<>> tasks;
    for (int i = 0; i < writers; ++i)
      tasks.push_back(finish_and_tell(*port, i * jobs_a_writer, answered));
    loop.run(std::move(tasks));
  }
  _exit(0);
}

std::vector<int> kill_after(const std::string& path, std::size_t answers) {
  std::array<int, 2> pipe_ends{};
  EXPECT_EQ(pipe(pipe_ends.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    close(pipe_ends[0]);
    write_until_killed(path, pipe_ends[1]);
  }
  close(pipe_ends[1]);
  std::vector<int> answered;
  int number = 0;
  while (read(pipe_ends[0], &number, sizeof number) == sizeof number) {
    answered.push_back(number);
    if (answered.size() == answers) kill(child, SIGKILL);
  }
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  return answered;
}

TEST(SqliteCrash, WhatWasAnsweredIsThereAfterAKill) {
  const TemporaryFolder folder;
  const auto path = folder.path("store.db");
  std::vector<int> answered;
  // Each round begins on what the last one left, with its WAL as the kill left it.
  for (const std::size_t answers : {1u, 300u, 1500u})
    for (const int number : kill_after(path, answers)) answered.push_back(number);
  SystemRandom random;
  TestLoop loop;
  SqliteStore store(path, random);
  const auto port = store.port(loop.clock());
  for (const int number : answered) {
    const auto job = loop.get(port->find("default", numbered_job(number).id));
    ASSERT_TRUE(job && job->outcome) << number;
    EXPECT_EQ(job->outcome->text, "answer " + std::to_string(number));
  }
}

}  // namespace
}  // namespace millrace
