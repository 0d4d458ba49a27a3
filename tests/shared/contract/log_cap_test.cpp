#include "shared/contract/log_cap.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

class LogCap : public testing::Test {
 protected:
  /// Each call numbers the next event.
  void delta(std::string_view text) { writer.delta(lines, {++last, now}, text); }
  void reason() { writer.aside(lines, {++last, now}, Aside::reasoning, "r"); }
  void status() { writer.status(lines, {++last, now}, "s"); }
  void rewind(Seq to) { writer.rewind(lines, {++last, now}, to); }

  /// `seq type` of each event that would stand, with the text of a snapshot.
  std::vector<std::string> standing(KeptEvents kept) {
    const auto shorter = shortened(lines, writer, now, kept);
    std::vector<std::string> events;
    const auto take = [&](std::string_view rest, Seq from) {
      EventLine event;
      while (next_event(rest, event)) {
        if (event.seq < from) continue;
        std::string shown = std::to_string(event.seq) + " " + std::string(event.type);
        if (event.type == "snapshot") {
          TextFold fold;
          fold.take(event);
          shown += " " + fold.text();
        }
        events.push_back(shown);
      }
    };
    take(shorter.lines, 0);
    take(lines, shorter.from);
    return events;
  }

  WallTime now{};
  EventWriter writer{JobId{}, now};
  std::string lines;
  Seq last = 0;
};

using Shown = std::vector<std::string>;

TEST_F(LogCap, OldTextBecomesOneSnapshotInThePlaceOfTheLast) {
  status();
  delta("a");
  delta("b");
  status();
  delta("c");
  delta("d");
  EXPECT_EQ(standing({2, 10'000}),
            (Shown{"1 status", "3 snapshot ab", "4 status", "5 delta", "6 delta"}));
}

TEST_F(LogCap, ARewindIsFoldedToo) {
  delta("a");
  delta("b");
  rewind(1);
  delta("c");
  status();
  EXPECT_EQ(standing({1, 10'000}), (Shown{"4 snapshot ac", "5 status"}));
}

TEST_F(LogCap, OfOtherEventsTheNewestStay) {
  for (int i = 0; i < 5; ++i) status();
  delta("a");
  EXPECT_EQ(standing({2, 10'000}), (Shown{"3 status", "4 status", "5 status", "6 delta"}));
}

TEST_F(LogCap, WhatWasSaidBesideOldTextGoes) {
  reason();
  status();
  delta("a");
  reason();
  delta("b");
  EXPECT_EQ(standing({2, 10'000}), (Shown{"2 status", "3 snapshot a", "4 reasoning", "5 delta"}));
}

TEST_F(LogCap, WhatIsKeptIsBoundedInBytesToo) {
  delta("a");
  delta(std::string(5000, 'x'));
  EXPECT_EQ(standing({10, 1000}).size(), 1u);
}

TEST_F(LogCap, AShortLogStaysAsItIs) {
  delta("a");
  EXPECT_EQ(shortened(lines, writer, now, {10, 1000}).from, 0u);
}

TEST_F(LogCap, ASnapshotIsFoldedAgain) {
  delta("a");
  delta("b");
  delta("c");
  auto shorter = shortened(lines, writer, now, {1, 1000});
  std::string_view rest = lines;
  EventLine event;
  while (next_event(rest, event))
    if (event.seq >= shorter.from) shorter.lines += event.whole;
  lines = shorter.lines;
  delta("d");
  EXPECT_EQ(standing({1, 1000}), (Shown{"3 snapshot abc", "4 delta"}));
}

}  // namespace
}  // namespace millrace
