#include "shared/http/one_meaning.h"

#include <gtest/gtest.h>

namespace millrace::http {
namespace {

std::optional<Unheard> unheard_of(std::string query) {
  Request request;
  request.query = std::move(query);
  return unheard_parameter(request, {"after", "limit"});
}

TEST(OneMeaning, WhatIsKnownAndGivenOnceIsHeard) {
  for (const auto* query : {"", "&", "after", "after=", "limit=1&after=2&", "%61fter=1"})
    EXPECT_FALSE(unheard_of(query)) << query;
}

TEST(OneMeaning, TheFirstUnknownParameterIsNamedWithWhatIsAllowed) {
  const auto found = unheard_of("after=1&foo=2&bar=3");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "foo");
  EXPECT_NE(found->detail.find("after, limit"), std::string::npos) << found->detail;
  EXPECT_EQ(unheard_of("After=1")->name, "After");
}

TEST(OneMeaning, AParameterGivenTwiceIsNamedHoweverItIsEscaped) {
  const auto found = unheard_of("after=1&limit=2&%61fter=1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "after");
  EXPECT_NE(found->detail.find("twice"), std::string::npos) << found->detail;
}

TEST(OneMeaning, ALongNameIsCutAtACharacter) {
  std::string name = "x";
  for (int i = 0; i < 100; ++i) name += "%EC%95%88";
  const auto found = unheard_of(name + "=1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name.size(), 58U);
}

TEST(OneMeaning, AHeaderGivenTwiceIsNamedAsItIsWritten) {
  Request request;
  request.headers = {{"content-type", "a"}, {"x-other", "1"}, {"x-other", "2"}};
  EXPECT_FALSE(header_given_twice(request, {"Content-Type", "Idempotency-Key"}));
  request.headers.emplace_back("content-type", "a");
  const auto found = header_given_twice(request, {"Idempotency-Key", "Content-Type"});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "Content-Type");
}

}  // namespace
}  // namespace millrace::http
