#include "producer/web/asset_routes.h"

#include <gtest/gtest.h>

#include "producer/web/page_routes.h"
#include "tests/seams/edge_answer.h"

namespace millrace::web {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

constexpr Asset assets[] = {
    {"index.html", "text/html", "a page", "gz page", "br page", "0a1b", false},
    {"dots/one-12345678.js", "text/javascript", "a script", "", "", "2c3d", true},
    {"dots/index.json", "application/json", "{}", "", "", "4e5f", false},
};

class AssetRoutesTest : public testing::Test {
 protected:
  AssetRoutesTest() {
    routes_.add_to(router_);
    redirect(router_, "/old.html", "/docs/");
  }

  http::Response get(const std::string& path, Headers headers = {}) {
    return answer_of(loop_, router_, path, std::move(headers));
  }
  static std::string field(const http::Response& response, std::string_view name) {
    for (const auto& [each, value] : response.headers)
      if (each == name) return value;
    return "";
  }

  TestLoop loop_;
  AssetRoutes routes_{assets, "/docs/", "default-src 'none'"};
  http::Router router_;
};

TEST_F(AssetRoutesTest, AFolderAnswersWithItsIndex) {
  EXPECT_EQ(get("/docs/").body, "a page");
  EXPECT_EQ(get("/docs/dots/").body, "{}");
  EXPECT_EQ(get("/docs/dots/index.json").body, "{}");
}

TEST_F(AssetRoutesTest, AFileIsServedAsItIsToWhoTakesNoCompression) {
  const auto got = get("/docs/index.html");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.content_type, "text/html");
  EXPECT_EQ(got.body, "a page");
  EXPECT_EQ(field(got, "Content-Encoding"), "");
  EXPECT_EQ(field(got, "Vary"), "Accept-Encoding");
}

TEST_F(AssetRoutesTest, TheFolderItselfAnswersItsPage) {
  EXPECT_EQ(get("/docs/").body, "a page");
}

TEST_F(AssetRoutesTest, TheBestCompressionThatTheClientTakesIsSent) {
  const auto as = [this](const std::string& accepted) {
    const auto got = get("/docs/", {{"accept-encoding", accepted}});
    return field(got, "Content-Encoding") + ":" + got.body;
  };
  EXPECT_EQ(as("gzip, deflate, br"), "br:br page");
  EXPECT_EQ(as("gzip, deflate"), "gzip:gz page");
  EXPECT_EQ(as("br;q=0, GZIP ; q=0.5"), "gzip:gz page");
  EXPECT_EQ(as("*"), "br:br page");
  EXPECT_EQ(as("*;q=0.000"), ":a page");
  EXPECT_EQ(as("br;q=0, *"), "gzip:gz page");
  EXPECT_EQ(as("deflate"), ":a page");
  EXPECT_EQ(as(""), ":a page");
}

TEST_F(AssetRoutesTest, AFileThatCompressionDoesNotShrinkIsSentAsItIs) {
  const auto got = get("/docs/dots/one-12345678.js", {{"accept-encoding", "br"}});
  EXPECT_EQ(got.body, "a script");
  EXPECT_EQ(field(got, "Content-Encoding"), "");
  EXPECT_EQ(field(got, "ETag"), "\"2c3d\"");
}

TEST_F(AssetRoutesTest, WhatHasItsHashInItsNameIsKeptForAYearAndTheRestAskedForAgain) {
  EXPECT_EQ(field(get("/docs/dots/one-12345678.js"), "Cache-Control"),
            "public, max-age=31536000, immutable");
  EXPECT_EQ(field(get("/docs/"), "Cache-Control"), "no-cache");
}

TEST_F(AssetRoutesTest, WhoHasItAlreadyIsTold304WithoutTheBytes) {
  const auto tag = field(get("/docs/", {{"accept-encoding", "br"}}), "ETag");
  EXPECT_EQ(tag, "\"0a1b-br\"");
  for (const auto& known : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const auto got = get("/docs/", {{"accept-encoding", "br"}, {"if-none-match", known}});
    EXPECT_EQ(got.status, 304) << known;
    EXPECT_EQ(got.body, "") << known;
    EXPECT_EQ(field(got, "ETag"), tag) << known;
    EXPECT_EQ(field(got, "Cache-Control"), "no-cache") << known;
  }
}

TEST_F(AssetRoutesTest, WhoHasAnotherFormOfItIsSentIt) {
  EXPECT_EQ(get("/docs/", {{"accept-encoding", "gzip"}, {"if-none-match", "\"0a1b-br\""}}).status,
            200);
  EXPECT_EQ(get("/docs/", {{"if-none-match", "\"ffff\""}}).status, 200);
}

TEST_F(AssetRoutesTest, EveryFileSaysWhatItMayDo) {
  for (const auto* path : {"/docs/", "/docs/dots/one-12345678.js"}) {
    EXPECT_EQ(field(get(path), "Content-Security-Policy"), "default-src 'none'");
    EXPECT_EQ(field(get(path), "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(field(get(path), "Referrer-Policy"), "no-referrer");
  }
}

TEST_F(AssetRoutesTest, AnOldAddressSaysWhereThePageIs) {
  const auto got = get("/old.html");
  EXPECT_EQ(got.status, 308);
  EXPECT_EQ(field(got, "Location"), "/docs/");
}

class PageRoutesTest : public AssetRoutesTest {
 protected:
  PageRoutesTest() { page_.add_to(page_router_); }
  http::Response page(const std::string& path, Headers headers = {}) {
    return answer_of(loop_, page_router_, path, std::move(headers));
  }
  /// What stands in the page between `before` and the next quote.
  static std::string named(const std::string& html, std::string_view before) {
    const auto at = html.find(before);
    if (at == html.npos) return "";
    const auto from = at + before.size();
    return html.substr(from, html.find('"', from) - from);
  }

  PageRoutes page_;
  http::Router page_router_;
};

TEST_F(PageRoutesTest, ThePageAndWhatItNamesAreThere) {
  const auto html = page("/").body;
  EXPECT_TRUE(html.starts_with("<!doctype html>"));
  for (const auto* kind : {"src=\"", "rel=\"stylesheet\" crossorigin href=\""}) {
    const auto file = named(html, kind);
    ASSERT_NE(file, "") << kind;
    const auto got = page(file, {{"accept-encoding", "gzip, br"}});
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(field(got, "Cache-Control"), "public, max-age=31536000, immutable");
  }
}

TEST_F(PageRoutesTest, ItsScriptsAndStylesComeFromThisOriginAlone) {
  const auto policy = field(page("/"), "Content-Security-Policy");
  EXPECT_NE(policy.find("default-src 'none'"), policy.npos);
  EXPECT_NE(policy.find("script-src 'self';"), policy.npos);
  EXPECT_NE(policy.find("require-trusted-types-for 'script'"), policy.npos);
  EXPECT_EQ(policy.find("unsafe"), policy.npos);
  EXPECT_EQ(page("/").body.find("://"), std::string::npos);
}

TEST_F(PageRoutesTest, ChatbotHtmlHasMovedToTheRoot) {
  EXPECT_EQ(page("/chatbot.html").status, 308);
  EXPECT_EQ(field(page("/chatbot.html"), "Location"), "/");
}

}  // namespace
}  // namespace millrace::web
