#pragma once
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>

#include "shared/disk/segment_log.h"
#include "shared/runtime/random.h"
#include "tests/shared/disk/segment_log_loss.h"
#include "tests/shared/disk/temp_folder.h"

namespace millrace::disk {

/// A log in a folder of the test's own that can be closed and opened again, spoken to directly.
/// Time stands still unless it is moved.
class DrivenLog : public testing::Test {
 protected:
  DrivenLog() { options.folder = folder / "events"; }

  void open() { log = std::make_unique<SegmentLog>(options, at.wall); }
  /// As a new process of the same machine finds it.
  void reopen() {
    log.reset();
    open();
  }
  /// Closes it without what a clean end leaves.
  void crash() {
    log.reset();
    const std::string name = folder / "events/era";
    std::string text;
    std::getline(std::ifstream(name), text);
    std::ofstream(name) << text.replace(text.find("closed"), 6, "open") << "\n";
  }
  /// As after a power cut that lost nothing: the era was not closed.
  void reopen_after_power_cut() {
    crash();
    options.machine_run += "+";
    open();
  }

  Job job(std::string session = "") {
    Job made;
    made.id = new_job_id(at.wall, random);
    made.tenant = "tenant";
    made.session = std::move(session);
    made.created_at = at.wall;
    made.deadline = at.wall + std::chrono::hours(24);
    return made;
  }
  Token token() { return new_token(random); }
  static std::string lines(Seq first, Seq last, std::string_view text = "x") {
    std::string all;
    for (Seq seq = first; seq <= last; ++seq) {
      const auto number = std::to_string(seq);
      all.append(number).append(seq == 1 ? " queued" : " delta").append(R"( {"seq":)");
      all.append(number).append(R"(,"text":")").append(text).append("\"}\n");
    }
    return all;
  }

  Result<Accepted> accept(const Job& job) { return log->accept(job, "print", lines(1, 1), at); }
  Result<Begun> begin(const Job& job, const Token& token, Seq known = 0,
                      bool begun_before = false) {
    return log->begin(
        {.job = job, .token = token, .worker = "w", .known = known, .begun_before = begun_before},
        at);
  }
  Result<Appended> append(const Job& job, const Token& token, Seq expected, std::uint32_t count,
                          std::optional<JobState> state = {}, std::string_view text = "x") {
    const std::string written = lines(expected + 1, expected + count, text);
    return log->append({.id = job.id,
                        .token = token,
                        .expected = expected,
                        .count = count,
                        .lines = written,
                        .state = state},
                       at);
  }
  /// Accepted and begun, with events up to `last`.
  Token running(const Job& job, Seq last = 1) {
    EXPECT_TRUE(accept(job));
    const auto holder = token();
    EXPECT_TRUE(begin(job, holder));
    if (last > 1) {
      EXPECT_TRUE(append(job, holder, 1, static_cast<std::uint32_t>(last - 1)));
    }
    return holder;
  }
  /// Accepted, begun and ended with `last` events.
  void ended(const Job& job, Seq last = 2, std::string_view text = "x") {
    const auto holder = running(job);
    EXPECT_TRUE(
        append(job, holder, 1, static_cast<std::uint32_t>(last - 1), JobState::succeeded, text));
  }
  /// All pages.
  std::string all(const Job& job) {
    std::string read;
    Seq after = 0;
    for (bool more = true; more;) {
      const auto page = log->read(job.id, after, at.wall, Patience::any);
      if (!page) return std::string(to_string(page.error()));
      read += page->lines;
      more = page->more;
      EventLine event;
      for (std::string_view rest = page->lines; next_event(rest, event);) after = event.seq;
    }
    return read;
  }
  std::optional<LogState> state(const Job& job) {
    const auto found = log->states({&job.id, 1}, at);
    return found ? found->front() : std::nullopt;
  }
  void pass(Duration time) {
    at.now += time;
    at.wall += std::chrono::duration_cast<WallTime::duration>(time);
  }
  std::string segment(std::uint32_t number) {
    return folder / "events" + "/" + Folder::segment_name(number);
  }

  TempFolder folder;
  SegmentLog::Options options{.machine_run = "run"};
  SegmentLog::Now at{.now = Instant(1h),
                     .wall = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 5 / 1))};
  SystemRandom random;
  std::unique_ptr<SegmentLog> log;
};

}  // namespace millrace::disk
