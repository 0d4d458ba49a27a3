#include "shared/disk/segment_scan.h"

#include <gtest/gtest.h>

#include "shared/disk/crc32c.h"
#include "tests/shared/disk/temp_folder.h"

namespace millrace::disk {
namespace {

class Segments : public testing::Test {
 protected:
  static Entry entry(Seq expected, std::string_view lines) {
    return {.kind = Kind::lines, .expected = expected, .count = 1, .lines = lines};
  }
  /// The lines of each entry that a scan gives.
  std::vector<std::string> scanned() {
    const File file = files.open(Folder::segment_name(1));
    SegmentScan scan(file, 1);
    std::vector<std::string> found;
    Entry next;
    Place place;
    while (scan.next(next, place)) found.emplace_back(next.lines);
    return found;
  }
  File to_write() { return files.open_to_write(Folder::segment_name(1)); }

  TempFolder folder;
  Folder files{folder / "events"};
};

using Lines = std::vector<std::string>;

TEST(Crc32c, IsTheOneOfTheStandard) {
  // RFC 3720, B.4.
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c("456789", crc32c("123")), 0xE3069283U);
}

TEST_F(Segments, AScanGivesWhatWasWritten) {
  SegmentWriter writer(files, make_segment(files, 1), fresh_end(1));
  const std::string large(3'000'000, 'x');
  const Entry all[]{entry(0, "one"), entry(1, large), entry(2, "three")};
  ASSERT_TRUE(writer.write(all));
  ASSERT_TRUE(writer.write(entry(3, "")));
  EXPECT_EQ(scanned(), (Lines{"one", large, "three", ""}));
}

TEST_F(Segments, WhatAFailedWriteLeftWholeBehindTheEndDoesNotFollowTheNext) {
  make_segment(files, 1);
  {
    SegmentWriter failed(files, to_write(), fresh_end(1));
    const Entry both[]{entry(0, "first"), entry(1, "other")};
    ASSERT_TRUE(failed.write(both));
  }
  SegmentWriter writer(files, to_write(), fresh_end(1));
  ASSERT_TRUE(writer.write(entry(0, "again")));  // as long as the first
  EXPECT_EQ(scanned(), Lines{"again"});
}

TEST_F(Segments, ZeroesEndAScan) {
  SegmentWriter writer(files, make_segment(files, 1), fresh_end(1));
  ASSERT_TRUE(writer.write(entry(0, "one")));
  std::filesystem::resize_file(folder / "events/" + Folder::segment_name(1), 100'000);
  EXPECT_EQ(scanned(), Lines{"one"});
}

TEST_F(Segments, ASegmentUnderAnotherNameIsNone) {
  make_segment(files, 2);
  const File file = files.open(Folder::segment_name(2));
  EXPECT_TRUE(SegmentScan(file, 2).good());
  EXPECT_FALSE(SegmentScan(file, 1).good());
}

}  // namespace
}  // namespace millrace::disk
