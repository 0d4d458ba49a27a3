#include "producer/access/edge_gate.h"

#include "producer/access/presented_key.h"
#include "tests/producer/access/world.h"

namespace millrace::access {
namespace {

using http::Method;

http::Response as_problem(const Problem& problem, std::string_view) {
  return http::to_response(problem);
}

struct Gate : test::World {
  struct Asked {
    Method method = Method::get;
    std::string pattern = "/v1/jobs/{id}";
    std::string query{};
    std::string peer = "192.0.2.1";
    std::string header = "authorization";
    http::Headers more{};
  };
  struct Said {
    int status = 0;  ///< 0: it passes
    std::string tenant;
    http::Headers headers;
    std::string body{};
    std::string header(std::string_view name) const {
      for (const auto& [own, value] : headers)
        if (own == name) return value;
      return {};
    }
  };

  void open(EdgeGate::Auth auth = EdgeGate::Auth::automatic,
            std::optional<TokenRate> address_rate = {}) {
    gate.emplace(EdgeGate::Parts{.keys = book,
                                 .limiter = limiter,
                                 .auth = auth,
                                 .address_rate = address_rate,
                                 .tell = as_problem,
                                 .trusted_proxies = *parse_ip_ranges("10.0.0.0/8"),
                                 .metrics = &metrics});
    EXPECT_TRUE(get(book.read()));
  }
  Said ask(const std::string& key, const Asked& asked) {
    http::Request request;
    request.method = asked.method;
    request.query = asked.query;
    request.peer = asked.peer;
    request.headers = asked.more;
    if (!key.empty())
      request.headers.emplace_back(asked.header,
                                   asked.header == "authorization" ? "Bearer " + key : key);
    const auto passage = get(gate->enter(request, asked.pattern));
    Said said{.tenant = request.tenant, .headers = passage.headers};
    if (passage.refused) said.status = passage.refused->status;
    if (passage.refused) said.body = passage.refused->body;
    return said;
  }
  Said ask(const std::string& key) { return ask(key, {}); }

  test::FakeKeys keys;
  KeyBook book{keys, clock};
  /// How often it has refused with that code.
  double counted(const std::string& code) {
    for (const auto& family : registry.Collect())
      for (const auto& metric : family.metric)
        if (metric.label.at(0).value == code) return metric.counter.value;
    return -1;
  }

  prometheus::Registry registry;
  GateMetrics metrics{registry};
  std::optional<EdgeGate> gate;
  const std::string wrong = "mr_" + std::string(64, '0');
};

TEST_F(Gate, WithoutAnyKeyEverybodyIsTheDefaultTenant) {
  open();
  EXPECT_EQ(ask("").status, 0);
  EXPECT_EQ(ask("unused").status, 0);
  EXPECT_EQ(ask("", {.pattern = "/v1/dead-letters"}).status, 0);
  EXPECT_EQ(ask("").tenant, "default");
}

TEST_F(Gate, FromTheFirstKeyOnEveryRouteWantsOneAndSoItStays) {
  const auto key = keys.make("acme");
  open();
  EXPECT_EQ(ask("").status, 401);
  EXPECT_EQ(ask("").header("WWW-Authenticate"), R"(Bearer realm="millrace")");
  EXPECT_EQ(ask(key).status, 0);
  EXPECT_EQ(ask(key).tenant, "acme");
  EXPECT_EQ(ask(key, {.header = "x-api-key"}).tenant, "acme");
  keys.revoke_text(key);
  EXPECT_TRUE(get(book.read()));
  EXPECT_EQ(ask(key).status, 401);
  EXPECT_EQ(ask("").status, 401) << "the last key revoked opens nothing";
}

TEST_F(Gate, AuthOnWantsAKeyBeforeThereIsOneAndAuthOffNever) {
  open(EdgeGate::Auth::on);
  EXPECT_EQ(ask("").status, 401);
  const auto key = keys.make("acme");
  open(EdgeGate::Auth::off);
  EXPECT_EQ(ask("").status, 0);
  EXPECT_EQ(ask(key).tenant, "default");
}

TEST_F(Gate, UntilTheKeysAreKnownNobodyIsLetIn) {
  const auto key = keys.make("acme");
  keys.away = true;
  gate.emplace(EdgeGate::Parts{book, limiter, EdgeGate::Auth::automatic, {}, as_problem});
  EXPECT_EQ(ask(key).status, 503);
  EXPECT_EQ(ask("").status, 401);
  EXPECT_EQ(ask("", {.pattern = "/readyz"}).status, 0);
}

TEST_F(Gate, AWrongKeyIsToldSo) {
  keys.make("acme");
  open();
  const auto said = ask(wrong);
  EXPECT_EQ(said.status, 401);
  EXPECT_EQ(said.header("WWW-Authenticate"), R"(Bearer realm="millrace", error="invalid_token")");
  EXPECT_NE(said.body.find("invalid_api_key"), said.body.npos);
  EXPECT_EQ(said.body.find(wrong), said.body.npos) << "it may be somebody's right key elsewhere";
}

TEST_F(Gate, EachRouteWantsItsScope) {
  const auto reader = keys.make("a", {Scope::read});
  const auto submitter = keys.make("a", {Scope::submit});
  const auto admin = keys.make("a", {Scope::admin});
  open();
  const Asked get_job{};
  const Asked post_job{.method = Method::post, .pattern = "/v1/jobs"};
  const Asked remove{.method = Method::del, .pattern = "/api/sessions/{id}"};
  const Asked letters{.pattern = "/v1/dead-letters"};
  const Asked redrive{.method = Method::post, .pattern = "/v1/dead-letters/redrive"};
  const Asked metrics{.pattern = "/metrics"};
  const Asked unheard_of{.method = Method::post, .pattern = "/v9/new"};
  for (const auto& asked : {get_job}) {
    EXPECT_EQ(ask(reader, asked).status, 0);
    EXPECT_EQ(ask(submitter, asked).status, 403);
    EXPECT_EQ(ask(admin, asked).status, 403);
  }
  for (const auto& asked : {post_job, remove, unheard_of}) {
    EXPECT_EQ(ask(reader, asked).status, 403) << asked.pattern;
    EXPECT_EQ(ask(submitter, asked).status, 0) << asked.pattern;
  }
  for (const auto& asked : {letters, redrive, metrics}) {
    EXPECT_EQ(ask(reader, asked).status, 403) << asked.pattern;
    EXPECT_EQ(ask(admin, asked).status, 0) << asked.pattern;
  }
  EXPECT_EQ(ask(reader, post_job).header("WWW-Authenticate"),
            R"(Bearer realm="millrace", error="insufficient_scope", scope="submit")");
}

TEST_F(Gate, WithoutAnyKeyAPageOfAnotherSitePostsNothingAndWithKeysTheKeyDecides) {
  open();
  const Asked foreign{
      .method = Method::post, .pattern = "/v1/jobs", .more = {{"origin", "https://evil.example"}}};
  const Asked rebound{.more = {{"host", "evil.example"}}};
  const Asked health{.pattern = "/readyz", .more = {{"host", "evil.example"}}};
  EXPECT_EQ(ask("", foreign).status, 403);
  EXPECT_EQ(ask("", rebound).status, 403);
  EXPECT_EQ(ask("", health).status, 0) << "whoever probes may call it as they like";
  const auto key = keys.make("acme");
  EXPECT_TRUE(get(book.read()));
  EXPECT_EQ(ask("", foreign).status, 401);
  EXPECT_EQ(ask(key, foreign).status, 0);
  EXPECT_EQ(ask(key, rebound).status, 0);
}

TEST_F(Gate, PagesAndHealthWantNoKey) {
  open(EdgeGate::Auth::on, TokenRate{.per_s = 0.001, .burst = 1});
  for (const char* pattern : {"/livez", "/readyz", "/health", "/api/health", "/", "/openapi.json",
                              "/chatbot.html", "/assets/x.js", "/docs", "/docs/a.js"})
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("", {.pattern = pattern}).status, 0) << pattern;
}

TEST_F(Gate, ALinkWithASignatureIsTheRoutesToJudge) {
  keys.make("acme");
  open();
  const std::string signature = "expires=1&signature=00";
  EXPECT_EQ(ask("", {.pattern = "/v1/jobs/{id}/events", .query = signature}).status, 0);
  EXPECT_EQ(ask("", {.pattern = "/v1/objects", .query = signature}).status, 0);
  EXPECT_EQ(ask("", {.pattern = "/v1/jobs/{id}/events"}).status, 401);
  EXPECT_EQ(ask("", {.pattern = "/v1/jobs/{id}", .query = signature}).status, 401);
  EXPECT_EQ(ask(wrong, {.pattern = "/v1/objects", .query = signature}).status, 401);
}

TEST_F(Gate, AKeyBeyondItsRateIsToldWhenToComeBack) {
  const auto slow = keys.make("acme", {Scope::read}, TokenRate{.per_s = 0.5, .burst = 2});
  const auto free = keys.make("acme", {Scope::read});
  open();
  const auto first = ask(slow);
  EXPECT_EQ(first.status, 0);
  EXPECT_EQ(first.header("RateLimit-Limit"), "2");
  EXPECT_EQ(first.header("RateLimit-Remaining"), "1");
  EXPECT_EQ(first.header("RateLimit-Reset"), "2");
  EXPECT_EQ(ask(slow).status, 0);
  const auto refused = ask(slow);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.header("Retry-After"), "2");
  EXPECT_EQ(refused.header("RateLimit-Remaining"), "0");
  EXPECT_EQ(ask(free).status, 0) << "the other key of the tenant goes on";
  EXPECT_EQ(ask(free).header("RateLimit-Limit"), "");
  clock.run_for(2s);
  EXPECT_EQ(ask(slow).status, 0);
}

TEST_F(Gate, AnAddressBeyondItsRateIsRefusedWhateverItsKeyAndOthersAreNot) {
  const auto key = keys.make("acme");
  open(EdgeGate::Auth::automatic, TokenRate{.per_s = 0.1, .burst = 2});
  EXPECT_EQ(ask(key).status, 0);
  EXPECT_EQ(ask(key).status, 0);
  EXPECT_EQ(ask(key).status, 429);
  EXPECT_EQ(ask(key, {.peer = "192.0.2.2"}).status, 0);
}

TEST_F(Gate, BehindATrustedProxyTheClientsAddressHasTheRateAndNobodyCanChooseHisOwn) {
  open(EdgeGate::Auth::automatic, TokenRate{.per_s = 0.1, .burst = 1});
  const auto from = [](const char* list, const char* peer = "10.0.0.1") {
    return Asked{.peer = peer, .more = {{"x-forwarded-for", list}}};
  };
  EXPECT_EQ(ask("", from("192.0.2.1")).status, 0);
  EXPECT_EQ(ask("", from("192.0.2.2")).status, 0) << "another client of the proxy";
  EXPECT_EQ(ask("", from("198.51.100.1, 192.0.2.1")).status, 429) << "who adds a name of his own";
  EXPECT_EQ(ask("", from("192.0.2.3", "203.0.113.1")).status, 0);
  EXPECT_EQ(ask("", from("192.0.2.4", "203.0.113.1")).status, 429) << "who is no trusted proxy";
}

TEST_F(Gate, WhatItRefusesIsCountedByItsReason) {
  EXPECT_EQ(counted("missing_api_key"), 0) << "there before the first";
  open();
  ask("", {.method = Method::post, .more = {{"origin", "https://evil.example"}}});
  ask("", {.more = {{"host", "evil.example"}}});
  const auto key = keys.make("acme", {Scope::read}, TokenRate{.per_s = 0.1, .burst = 1});
  EXPECT_TRUE(get(book.read()));
  ask("");
  ask(wrong);
  ask(wrong);
  ask(key, {.method = Method::post});
  ask(key);
  ask(key);
  EXPECT_EQ(counted("cross_origin"), 1);
  EXPECT_EQ(counted("host_not_allowed"), 1);
  EXPECT_EQ(counted("missing_api_key"), 1);
  EXPECT_EQ(counted("invalid_api_key"), 2);
  EXPECT_EQ(counted("insufficient_scope"), 1);
  EXPECT_EQ(counted("rate_limit_exceeded"), 1);
}

TEST_F(Gate, WrongKeysSlowTheirAddressDownAndARightOnePasses) {
  const auto key = keys.make("acme");
  open();
  int told = 0;
  for (int i = 0; i < 100; ++i) told += ask(wrong).status == 401 ? 1 : 0;
  EXPECT_EQ(told, static_cast<int>(wrong_keys.burst));
  const auto slowed = ask(wrong);
  EXPECT_EQ(slowed.status, 429);
  EXPECT_EQ(slowed.header("Retry-After"), "2");
  EXPECT_EQ(ask(key).status, 0) << "a right key of the same address";
  EXPECT_EQ(ask("").status, 401) << "no key is no wrong key";
  EXPECT_EQ(ask(wrong, {.peer = "192.0.2.2"}).status, 401) << "another address";
  clock.run_for(2s);
  EXPECT_EQ(ask(wrong).status, 401);
}

TEST(AddressGroup, AnIPv6AddressStandsForItsNetworkAnIPv4OneForItself) {
  EXPECT_EQ(address_group("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(address_group("2001:db8:1:2::9"), "2001:db8:1:2::/64");
  EXPECT_NE(address_group("2001:db8:1:3::9"), "2001:db8:1:2::/64");
  EXPECT_EQ(address_group("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(address_group("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(address_group("fe80::1%eth0"), "fe80::/64");
}

TEST(PresentedKey, IsReadFromEitherHeaderTheBearerFirst) {
  const auto shown = [](http::Headers headers) {
    http::Request request;
    request.headers = std::move(headers);
    return std::string(presented_key(request));
  };
  EXPECT_EQ(shown({{"authorization", "Bearer k"}}), "k");
  EXPECT_EQ(shown({{"authorization", "bearer   k"}}), "k");
  EXPECT_EQ(shown({{"authorization", "Bearer k"}, {"x-api-key", "x"}}), "k");
  EXPECT_EQ(shown({{"authorization", "Basic abc"}, {"x-api-key", "x"}}), "x");
  EXPECT_EQ(shown({{"x-api-key", "x"}}), "x");
  EXPECT_EQ(shown({{"authorization", "Bearer"}}), "");
  EXPECT_EQ(shown({{"authorization", "Bearer "}}), "");
  EXPECT_EQ(shown({}), "");
}

}  // namespace
}  // namespace millrace::access
