#include "shared/redis/address.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace millrace::redis {
namespace {

TEST(RedisAddress, ReadsEveryPart) {
  const auto at = parse_address("redis://us%40er:p%3Aa%2Fss@redis.example:6380/3");
  EXPECT_EQ(at.user, "us@er");
  EXPECT_EQ(at.password, "p:a/ss");
  EXPECT_EQ(at.host, "redis.example");
  EXPECT_EQ(at.port, 6380);
  EXPECT_EQ(at.db, 3u);
  EXPECT_EQ(at.shown(), "redis.example:6380");
}

TEST(RedisAddress, FillsInWhatIsLeftOut) {
  const auto at = parse_address("redis://h");
  EXPECT_EQ(at.host, "h");
  EXPECT_EQ(at.port, 6379);
  EXPECT_EQ(at.db, 0u);
  EXPECT_TRUE(at.user.empty() && at.password.empty());
  EXPECT_EQ(parse_address("redis://:secret@h/").password, "secret");
  const auto six = parse_address("redis://[::1]:7000");
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, 7000);
}

TEST(RedisAddress, RefusesWhatItCannotServe) {
  for (const auto* wrong :
       {"", "localhost:6379", "http://h", "redis://", "redis://:6379", "redis://h:", "redis://h:x",
        "redis://h:65536", "redis://h:-1", "redis://h/x", "redis://h/1/2", "redis://user@h",
        "redis://:p%4@h", "redis://:p%zz@h", "redis://[::1", "redis://[::1]x", "rediss://h"})
    EXPECT_THROW(parse_address(wrong), std::invalid_argument) << wrong;
}

TEST(RedisAddress, RefusesTlsWithTheRemedyAndNeverShowsThePassword) {
  const auto said = [](std::string_view url) {
    try {
      parse_address(url);
    } catch (const std::invalid_argument& refused) {
      return std::string(refused.what());
    }
    return std::string();
  };
  EXPECT_NE(said("rediss://h").find("tunnel"), std::string::npos);
  for (const auto* url : {"rediss://:hunter2@h", "redis://:hunter2@h:x", "redis://:hunter2@",
                          "redis://:hunter2%@h", "http://:hunter2@h"}) {
    EXPECT_FALSE(said(url).empty()) << url;
    EXPECT_EQ(said(url).find("hunter2"), std::string::npos) << url;
  }
}

}  // namespace
}  // namespace millrace::redis
