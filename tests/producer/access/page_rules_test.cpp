#include "producer/access/page_rules.h"

#include <gtest/gtest.h>

namespace millrace::access {
namespace {

using http::Headers;
using http::Method;

std::string said(const PageRules& rules, Method method, Headers headers) {
  http::Request request;
  request.method = method;
  request.headers = std::move(headers);
  const auto objection = rules.objection(request);
  return objection ? objection->code : "";
}

std::string host(const PageRules& rules, const char* name) {
  return said(rules, Method::get, {{"host", name}});
}

std::string post(const PageRules& rules, Headers headers) {
  headers.emplace_back("host", "127.0.0.1:8080");
  return said(rules, Method::post, std::move(headers));
}

const PageRules on_loopback;
const PageRules for_all({.cors_origins = "", .allowed_hosts = "", .loopback = false});

TEST(PageRules, AClientThatIsNoBrowserPasses) {
  EXPECT_EQ(post(on_loopback, {}), "");
  EXPECT_EQ(said(on_loopback, Method::del, {}), "") << "HTTP/1.0 without a Host";
}

TEST(PageRules, ThisMachineAndAddressesAreKnownByTheirNames) {
  for (const char* name :
       {"localhost", "LOCALHOST:8080", "localhost.:1", "a.localhost", "127.0.0.1", "127.0.0.1:8080",
        "192.168.1.5:80", "[::1]:8080", "[fe80::1]"})
    EXPECT_EQ(host(on_loopback, name), "") << name;
}

TEST(PageRules, ANameThatAPageCanMakePointHereIsRefusedForReadingToo) {
  for (const char* name : {"evil.example", "evil.example:8080", "127.0.0.1.evil.example",
                           "localhost.evil.example", "notlocalhost", "1.2.3"})
    EXPECT_EQ(host(on_loopback, name), "host_not_allowed") << name;
}

TEST(PageRules, NamesOfPrivateNetworksPassWhereOthersCanConnect) {
  for (const char* name : {"edge:8080", "nas.local", "a.b.svc.cluster.local", "m.internal"}) {
    EXPECT_EQ(host(for_all, name), "") << name;
    EXPECT_EQ(host(on_loopback, name), "host_not_allowed") << name;
  }
  for (const char* name : {"evil.example", "x.local.evil.example", "evilinternal.example"})
    EXPECT_EQ(host(for_all, name), "host_not_allowed") << name;
}

TEST(PageRules, AllowedHostsPassByNameWhateverTheirPort) {
  const PageRules rules({.cors_origins = "", .allowed_hosts = "a.example, jobs.example.com"});
  EXPECT_EQ(host(rules, "jobs.example.com"), "");
  EXPECT_EQ(host(rules, "Jobs.Example.com:8443"), "");
  EXPECT_EQ(host(rules, "x.jobs.example.com"), "host_not_allowed");
  EXPECT_EQ(host(PageRules({.cors_origins = "", .allowed_hosts = "*"}), "any.example"), "");
}

TEST(PageRules, APageOfAnotherOriginChangesNothing) {
  for (const char* site : {"cross-site", "same-site"}) {
    EXPECT_EQ(post(on_loopback, {{"sec-fetch-site", site}}), "cross_origin");
    EXPECT_EQ(post(on_loopback, {{"sec-fetch-site", site}, {"origin", "http://127.0.0.1:8080"}}),
              "cross_origin")
        << "what the browser says of itself counts more";
  }
  EXPECT_EQ(post(on_loopback, {{"origin", "https://evil.example"}}), "cross_origin");
  EXPECT_EQ(post(on_loopback, {{"origin", "http://127.0.0.1:3000"}}), "cross_origin");
  EXPECT_EQ(post(on_loopback, {{"origin", "null"}}), "cross_origin");
}

TEST(PageRules, TheRefusalNamesTheHeaderThatSaidSo) {
  const auto field = [](Headers headers) {
    http::Request request;
    request.method = Method::post;
    request.headers = std::move(headers);
    return on_loopback.objection(request).value().field;
  };
  EXPECT_EQ(field({{"sec-fetch-site", "cross-site"}}), "Sec-Fetch-Site");
  EXPECT_EQ(field({{"origin", "https://evil.example"}}), "Origin");
}

TEST(PageRules, ItsOwnPagesMayPost) {
  EXPECT_EQ(post(on_loopback, {{"origin", "http://127.0.0.1:8080"}}), "");
  EXPECT_EQ(
      post(on_loopback, {{"origin", "http://127.0.0.1:8080"}, {"sec-fetch-site", "same-origin"}}),
      "");
  EXPECT_EQ(post(on_loopback, {{"sec-fetch-site", "none"}}), "");
}

TEST(PageRules, BehindAProxyThatReplacesTheHostTheNameInAllowedHostsIsOurOwn) {
  const PageRules rules({.cors_origins = "", .allowed_hosts = "jobs.example.com"});
  EXPECT_EQ(post(rules, {{"origin", "https://jobs.example.com"}}), "");
  EXPECT_EQ(post(rules, {{"origin", "https://evil.example"}}), "cross_origin");
}

TEST(PageRules, OriginsOfTheCorsSettingMayPost) {
  const PageRules rules({.cors_origins = "https://app.example", .allowed_hosts = ""});
  EXPECT_EQ(post(rules, {{"origin", "https://app.example"}, {"sec-fetch-site", "cross-site"}}), "");
  EXPECT_EQ(post(rules, {{"origin", "https://app.example.org"}, {"sec-fetch-site", "cross-site"}}),
            "cross_origin");
}

TEST(PageRules, ReadingIsTheBrowsersOwnMatter) {
  EXPECT_EQ(said(on_loopback, Method::get,
                 {{"host", "localhost"},
                  {"origin", "https://evil.example"},
                  {"sec-fetch-site", "cross-site"}}),
            "")
      << "it may be asked for, and is not shown to the page";
}

}  // namespace
}  // namespace millrace::access
