#include "producer/ingress/dead_letter_routes.h"

#include "tests/producer/ingress/world.h"

namespace millrace::ingress_test {
namespace {

/// As many letters as it is given, none of them sent.
class FakeLetters final : public DeadLetters {
 public:
  std::vector<DeadLetter> letters;

  Task<Result<std::vector<DeadLetter>>> list(std::string, std::int64_t before,
                                             std::size_t limit) override {
    std::vector<DeadLetter> page;
    for (auto letter = letters.rbegin(); letter != letters.rend() && page.size() < limit; ++letter)
      if (before == 0 || letter->number < before) page.push_back(*letter);
    co_return page;
  }
  Task<Result<Job>> redrive(std::string, JobId id) override {
    for (const auto& letter : letters) {
      if (letter.job != id) continue;
      Job job;
      job.id = derived_job_id("new", id.str());
      co_return job;
    }
    co_return Failure(Errc::not_found);
  }
  Task<Result<SentPage>> redrive_unsent(std::string, std::int64_t after) override {
    SentPage page;
    for (const auto& letter : letters)
      if (letter.number > after)
        page.sent.push_back({letter.job, derived_job_id("new", letter.job.str())});
    page.skipped = 1;
    co_return page;
  }
};

struct LetterWorld : World {
  FakeLetters letters;
  DeadLetterRoutes letter_routes{&letters};

  LetterWorld() {
    letter_routes.add_to(router);
    for (std::int64_t number = 1; number <= 3; ++number)
      letters.letters.push_back({.number = number,
                                 .job = new_job_id(clock.wall(), random),
                                 .reason = "said \"no\"",
                                 .attempts = 5,
                                 .died_at = clock.wall(),
                                 .envelope = "{}",
                                 .redriven_as = {}});
  }
  http::Response redrive(std::string asked) {
    return send(http::Method::post, "/v1/dead-letters/redrive", std::move(asked));
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
  EXPECT_EQ(at(all.body, "/skipped"), "1");
  EXPECT_EQ(at(all.body, "/next"), "null");
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

TEST(DeadLetterRoutes, AnEdgeOnServersSaysWhereTheyAre) {
  World w;
  DeadLetterRoutes routes(nullptr);
  routes.add_to(w.router);
  const auto response = w.get("/v1/dead-letters");
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(at(response.body, "/detail").find("millrace jobs redrive"), std::string::npos);
}

}  // namespace
}  // namespace millrace::ingress_test
