#include "ops/data/tar.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace millrace {
namespace {

using namespace std::chrono_literals;

tar::Entry through(const tar::Entry& entry) {
  const auto parsed = tar::parse(tar::header(entry, WallTime(1'800'000'000s)));
  return parsed && *parsed ? **parsed : tar::Entry{"none", 0};
}

TEST(Tar, a_head_tells_name_and_size_of_any_size) {
  for (const std::uint64_t size :
       {std::uint64_t{0}, std::uint64_t{511}, (std::uint64_t{1} << 33) - 1, std::uint64_t{1} << 33,
        std::uint64_t{5} << 40}) {
    const auto entry = through({"events/0000000001.log", size});
    EXPECT_EQ(entry.name, "events/0000000001.log");
    EXPECT_EQ(entry.size, size);
  }
}

TEST(Tar, a_long_name_is_kept_in_two_parts) {
  for (const auto& name :
       {std::string(100, 'x'), "objects/" + std::string(32, 'a') + "/" + std::string(64, 'b')})
    EXPECT_EQ(through({name, 1}).name, name);
  EXPECT_THROW(tar::header({std::string(101, 'x'), 1}, WallTime()), std::logic_error);
  EXPECT_THROW(tar::header({"a/" + std::string(101, 'x'), 1}, WallTime()), std::logic_error);
}

TEST(Tar, a_block_of_zeros_is_the_end) {
  const auto parsed = tar::parse(tar::Block{});
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(*parsed);
}

TEST(Tar, a_bit_that_is_wrong_is_noticed) {
  const auto good = tar::header({"millrace.db", 12'345}, WallTime(1'800'000'000s));
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_FALSE(tar::parse(bad)) << at;
  }
}

TEST(Tar, padding_fills_the_last_block) {
  EXPECT_EQ(tar::padding(0), 0u);
  EXPECT_EQ(tar::padding(1), 511u);
  EXPECT_EQ(tar::padding(512), 0u);
}

}  // namespace
}  // namespace millrace
