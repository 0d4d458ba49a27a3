#include "producer/objects/wanted_part.h"

#include <gtest/gtest.h>

namespace millrace {
namespace {

/// `from+size`, "whole" or "nothing".
std::string wanted(std::string_view header, std::uint64_t size = 10) {
  const auto part = wanted_part(header, size);
  if (part.what == WantedPart::What::whole) return "whole";
  if (part.what == WantedPart::What::nothing) return "nothing";
  return std::to_string(part.range.from) + "+" + std::to_string(part.range.size);
}

TEST(WantedPart, IsWhatTheRangeSays) {
  EXPECT_EQ(wanted("bytes=0-0"), "0+1");
  EXPECT_EQ(wanted("bytes=2-5"), "2+4");
  EXPECT_EQ(wanted("bytes=9-9"), "9+1");
  EXPECT_EQ(wanted("bytes=3-"), "3+7");
  EXPECT_EQ(wanted("bytes=-4"), "6+4");
  EXPECT_EQ(wanted("BYTES=0-1"), "0+2");
}

TEST(WantedPart, EndsWithTheObject) {
  EXPECT_EQ(wanted("bytes=5-99"), "5+5");
  EXPECT_EQ(wanted("bytes=5-99999999999999999999999"), "5+5");
  EXPECT_EQ(wanted("bytes=-99"), "0+10");
}

TEST(WantedPart, BeyondTheEndIsNothing) {
  for (const auto* header : {"bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-"})
    EXPECT_EQ(wanted(header), "nothing") << header;
  EXPECT_EQ(wanted("bytes=0-", 0), "nothing");
  EXPECT_EQ(wanted("bytes=-5", 0), "whole");
}

TEST(WantedPart, WhatIsNotOneRangeOfBytesIsNotHeard) {
  for (const auto* header :
       {"", "bytes", "bytes=", "bytes=-", "bytes=5", "bytes=5-2", "bytes=0-1,3-4", "bytes=a-b",
        "bytes=1-b", "bytes=+1-2", "bytes=--1", "bytes= 0-1", "items=0-1", "bytes=0x1-2"})
    EXPECT_EQ(wanted(header), "whole") << header;
}

}  // namespace
}  // namespace millrace
