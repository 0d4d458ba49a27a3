#include "shared/http/router.h"

#include <gtest/gtest.h>

namespace millrace::http {
namespace {

Task<Response> nothing(Request&) {
  co_return Response{};
}

class RouterTest : public testing::Test {
 protected:
  RouterTest() {
    // The parameter first: the order of calls does not matter.
    router_.add(Method::get, "/v1/jobs/{id}", nothing);
    router_.add(Method::get, "/v1/jobs/{id}/events", nothing);
    router_.add(Method::post, "/v1/jobs", nothing, {.body_bytes_max = 7});
    router_.add(Method::get, "/v1/jobs", nothing);
    router_.add(Method::get, "/v1/jobs/recent", nothing);
    router_.add(Method::get, "/", nothing);
    router_.add(Method::del, "/a/{x}/{y}", nothing);
  }
  /// The pattern that serves it, with its parameters; `405` or `404`.
  std::string served(std::string_view path, Method method = Method::get) const {
    const auto match = router_.find(method, path);
    if (!match.handler) return match.allow.empty() ? "404" : "405";
    std::string text(match.pattern);
    for (const auto& param : match.params) text += " " + param;
    return text;
  }

  Router router_;
};

TEST_F(RouterTest, TheMostLiteralRouteServes) {
  EXPECT_EQ(served("/"), "/");
  EXPECT_EQ(served("/v1/jobs"), "/v1/jobs");
  EXPECT_EQ(served("/v1/jobs/recent"), "/v1/jobs/recent");
  EXPECT_EQ(served("/v1/jobs/7"), "/v1/jobs/{id} 7");
  EXPECT_EQ(served("/v1/jobs/7/events"), "/v1/jobs/{id}/events 7");
  EXPECT_EQ(served("/a/b/c", Method::del), "/a/{x}/{y} b c");
  EXPECT_EQ(served("/v1/jobs/7", Method::head), "/v1/jobs/{id} 7");
}

TEST_F(RouterTest, OtherPathsAreOtherPaths) {
  for (const char* path : {"", "//", "/v1/jobs/", "/v1/jobs//", "/v1//jobs", "/v1/jobs//events",
                           "/V1/jobs", "/v1/jobs/7/", "/v1/jobs/7/events/", "/v1/jobs/7/other",
                           "/v1", "/v1/../v1/jobs", "/./", "*", "v1/jobs"})
    EXPECT_EQ(served(path), "404") << path;
}

TEST_F(RouterTest, SegmentsAreDecodedAfterTheyAreCut) {
  EXPECT_EQ(served("/v1/jobs/a%2Fb"), "/v1/jobs/{id} a/b");
  EXPECT_EQ(served("/v1/jobs/a%20b%C3%A4"), "/v1/jobs/{id} a b\xc3\xa4");
  EXPECT_EQ(served("/v1/jobs/%2e%2e"), "/v1/jobs/{id} ..");
  EXPECT_EQ(served("/v1/j%6fbs"), "/v1/jobs");
  EXPECT_EQ(served("/v1%2Fjobs"), "404");
  EXPECT_EQ(served("/v1/jobs/a+b"), "/v1/jobs/{id} a+b");
  for (const char* broken : {"/v1/jobs/%", "/v1/jobs/%4", "/v1/jobs/%zz", "/v1/jobs/%00",
                             "/v1/jobs/%ff", "/v1/jobs/%ed%a0%80"})
    EXPECT_EQ(served(broken), "404") << broken;
}

TEST_F(RouterTest, AKnownPathTellsWhatItAllows) {
  const auto match = router_.find(Method::put, "/v1/jobs");
  EXPECT_FALSE(match.handler);
  for (const char* method : {"GET", "HEAD", "POST", "OPTIONS"})
    EXPECT_NE(match.allow.find(method), std::string::npos) << match.allow;
  EXPECT_EQ(match.allow.find("DELETE"), std::string::npos);
  EXPECT_EQ(served("/v1/jobs/7", Method::post), "405");
  EXPECT_EQ(served("/a/b/c", Method::head), "405");
  EXPECT_EQ(served("/v1/jobs", Method::options), "405");
  EXPECT_EQ(served("/v1/jobs", Method::other), "405");
  EXPECT_TRUE(router_.find(Method::options, "/nowhere").allow.empty());
}

TEST_F(RouterTest, ARouteKeepsItsOwnLimit) {
  EXPECT_EQ(router_.find(Method::post, "/v1/jobs").route_limits.body_bytes_max, 7u);
  EXPECT_EQ(router_.find(Method::get, "/v1/jobs").route_limits.body_bytes_max,
            limits::body_bytes_max);
}

}  // namespace
}  // namespace millrace::http
