#include "shared/http/message.h"

#include <gtest/gtest.h>

#include "shared/http/percent.h"

namespace millrace::http {
namespace {

Request with_query(std::string query) {
  Request request;
  request.query = std::move(query);
  return request;
}

Request with_accept(std::vector<std::string> values) {
  Request request;
  for (auto& value : values) request.headers.emplace_back("accept", std::move(value));
  return request;
}

TEST(Percent, EscapesAreDecodedOnce) {
  EXPECT_EQ(percent_decoded("a%20b%2Fc%2fd%2525+e"), "a b/c/d%25+e");
  EXPECT_EQ(query_decoded("a+b%2Bc"), "a b+c");
  EXPECT_EQ(percent_decoded(""), "");
  EXPECT_EQ(percent_decoded("%ED%95%9C"), "한");
}

TEST(Percent, BrokenEscapesAndTextThatIsNoneAreRefused) {
  for (const char* text : {"%", "%4", "%g1", "%1g", "%%41", "a%", "%00", "%ff", "%c0%80",
                           "%ed%a0%80", "%e4%b8", "%f5%80%80%80", "% 1", "%-1"})
    EXPECT_FALSE(percent_decoded(text)) << text;
  EXPECT_TRUE(query_is_sound("a=1&b=%20&c"));
  EXPECT_TRUE(query_is_sound(""));
  EXPECT_FALSE(query_is_sound("a=1&b=%2"));
  EXPECT_FALSE(query_is_sound("%ff=1"));
}

TEST(Request, QueryParametersAreFoundByTheirDecodedName) {
  EXPECT_EQ(with_query("a=1&b=2").query_param("b"), "2");
  EXPECT_EQ(with_query("%61=x%26y&a=2").query_param("a"), "x&y");
  EXPECT_EQ(with_query("a").query_param("a"), "");
  EXPECT_EQ(with_query("a=").query_param("a"), "");
  EXPECT_EQ(with_query("a=b=c").query_param("a"), "b=c");
  EXPECT_EQ(with_query("&&a=1&").query_param("a"), "1");
  EXPECT_FALSE(with_query("ab=1").query_param("a"));
  EXPECT_FALSE(with_query("").query_param("a"));
}

TEST(Request, AcceptsWhatIsNamedAndNotRefused) {
  EXPECT_TRUE(with_accept({"text/event-stream"}).accepts("text/event-stream"));
  EXPECT_TRUE(with_accept({"text/html, TEXT/Event-Stream;q=0.5"}).accepts("text/event-stream"));
  EXPECT_TRUE(with_accept({"text/html", "a/b ;charset=x; q=1"}).accepts("a/b"));
  EXPECT_FALSE(with_accept({"a/b;q=0"}).accepts("a/b"));
  EXPECT_FALSE(with_accept({"a/b; Q=0.000"}).accepts("a/b"));
  EXPECT_TRUE(with_accept({"a/b;q=0.001"}).accepts("a/b"));
  EXPECT_FALSE(with_accept({"*/*"}).accepts("a/b"));
  EXPECT_FALSE(with_accept({"a/bc"}).accepts("a/b"));
  EXPECT_FALSE(with_accept({}).accepts("a/b"));
}

TEST(Request, TheFirstHeaderOfANameIsRead) {
  Request request;
  request.headers = {{"a", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_EQ(request.header("a"), "1");
  EXPECT_EQ(request.header("c"), "");
}

TEST(Problems, BecomeProblemJson) {
  const auto response = to_response(Problem{418, "teapot", "A teapot", "Brew \"tea\".", "pot"});
  EXPECT_EQ(response.status, 418);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_NE(response.body.find(R"(Brew \"tea\".)"), std::string::npos) << response.body;
  EXPECT_NE(response.body.find("teapot"), std::string::npos);
}

}  // namespace
}  // namespace millrace::http
