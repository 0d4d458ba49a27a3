#include "producer/ingress/dead_letter_routes.h"

#include "tests/producer/ingress/redrive_world.h"

namespace millrace::ingress_test {
namespace {

struct LetterWorld : RedriveWorld {
  LetterWorld() {
    for (int i = 0; i < 3; ++i) ended();
  }
};

TEST(DeadLetterRoutes, TheyAreListedNewestFirstAPageAtATime) {
  LetterWorld w;
  const auto first = w.get("/v1/dead-letters?limit=2");
  EXPECT_EQ(at(first.body, "/data/0/job"), w.letters.letters[2].job.str());
  EXPECT_EQ(at(first.body, "/data/0/reason"), "said \"no\"");
  EXPECT_EQ(at(first.body, "/next"), "2");
  const auto rest = w.get("/v1/dead-letters?limit=2&after=2");
  EXPECT_EQ(at(rest.body, "/data/0/number"), "1");
  EXPECT_EQ(at(rest.body, "/has_more"), "false");
}

TEST(DeadLetterRoutes, ABodyOfAnotherFormOrWithAFieldTwiceSendsNothing) {
  LetterWorld w;
  for (const char* type :
       {"text/plain", "application/x-www-form-urlencoded", "application/x-ndjson"})
    EXPECT_EQ(w.send(http::Method::post, "/v1/dead-letters/redrive", "{}", {{"content-type", type}})
                  .status,
              415)
        << type;
  EXPECT_EQ(at(w.redrive(R"({"after":1,"after":2})").body, "/code"), "duplicate_field");
  EXPECT_EQ(at(w.redrive("{\"after\":" + std::string(99, '[')).body, "/code"), "invalid_json");
  EXPECT_EQ(w.send(http::Method::post, "/v1/dead-letters/redrive?after=1", "").status, 400);
}

TEST(DeadLetterRoutes, AllOrOneAreSentAgain) {
  LetterWorld w;
  const auto all = w.redrive("");
  EXPECT_EQ(at(all.body, "/sent"), "3");
  EXPECT_EQ(at(all.body, "/skipped"), "0");
  EXPECT_EQ(at(all.body, "/next"), "null");
  EXPECT_EQ(at(w.get("/v1/dead-letters").body, "/data/2/redriven_as"), at(all.body, "/data/0/id"));
  const std::string id = w.letters.letters[1].job.str();
  const auto one = w.redrive(R"({"id":")" + id + "\"}");
  EXPECT_EQ(at(one.body, "/data/0/from"), id);
  EXPECT_NE(at(one.body, "/data/0/id"), id);
}

TEST(DeadLetterRoutes, WhatIsWrongIsNamed) {
  LetterWorld w;
  EXPECT_EQ(w.redrive(R"({"id":"0198a0f2-0000-7000-8000-000000000000"})").status, 404);
  EXPECT_EQ(at(w.redrive(R"({"id":7})").body, "/field"), "/id");
  EXPECT_EQ(at(w.redrive(R"({"all":true})").body, "/field"), "/all");
  EXPECT_EQ(at(w.redrive("nonsense").body, "/code"), "invalid_json");
  EXPECT_EQ(at(w.get("/v1/dead-letters?limit=0").body, "/field"), "limit");
}

TEST(DeadLetterRoutes, AnEdgeThatCannotSearchThemSaysWhatToAskInstead) {
  RedriveWorld w(false);
  const auto list = w.get("/v1/dead-letters");
  EXPECT_EQ(at(list.body, "/code"), "not_supported");
  EXPECT_NE(at(list.body, "/detail").find("GET /v1/jobs?status=failed"), std::string::npos);
  const auto all = w.redrive("");
  EXPECT_EQ(at(all.body, "/code"), "not_supported");
  EXPECT_NE(at(all.body, "/detail").find("millrace jobs redrive"), std::string::npos);
}

}  // namespace
}  // namespace millrace::ingress_test
