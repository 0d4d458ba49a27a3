#include "shared/contract/trace.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Trace, AValidParentIsReadAsItIs) {
  EXPECT_EQ(read_traceparent(parent), parent);
}

TEST(Trace, OfANewerVersionTheKnownPartIsRead) {
  const std::string newer = "cc" + parent.substr(2);
  EXPECT_EQ(read_traceparent(newer), parent);
  EXPECT_EQ(read_traceparent(newer + "-what-the-future-adds"), parent);
  EXPECT_FALSE(read_traceparent(newer + ".what"));
}

TEST(Trace, WhatIsNoParentIsNone) {
  for (const std::string& wrong : {
           std::string(),
           std::string("00"),
           parent.substr(0, 54),
           parent + "-extra",
           "ff" + parent.substr(2),
           "0x" + parent.substr(2),
           std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
           std::string("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01"),
           std::string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g"),
       })
    EXPECT_FALSE(read_traceparent(wrong)) << wrong;
}

TEST(Trace, AChildIsAnotherSpanOfTheSameTrace) {
  SeededRandom random(7);
  const auto child = child_traceparent(parent, random);
  EXPECT_EQ(read_traceparent(child), child);
  EXPECT_EQ(child.substr(0, 36), parent.substr(0, 36));
  EXPECT_EQ(child.substr(52), parent.substr(52));
  EXPECT_NE(child, parent);
  EXPECT_NE(child, child_traceparent(parent, random));
}

}  // namespace
}  // namespace millrace
