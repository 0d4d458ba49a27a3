#include "producer/relay/relay_routes.h"

#include <gtest/gtest.h>

#include "producer/relay/cursor.h"
#include "tests/producer/relay/world.h"

namespace millrace::relay {
namespace {

using namespace test;

const JobId job = job_id(1);

struct Edge : World {
  Edge() { routes.add_to(router); }

  LinkSigner signer{"secret"};
  SignedUrls urls{signer};
  RelayRoutes routes{hub, urls};
  http::Router router;
  http::Request request;  // lives until the response has been made

  http::Response get(const std::string& target,
                     std::vector<std::pair<std::string, std::string>> headers = {}) {
    request = {};
    request.method = http::Method::get;
    request.path = target.substr(0, target.find('?'));
    if (target.find('?') != std::string::npos) request.query = target.substr(target.find('?') + 1);
    request.headers = std::move(headers);
    auto match = router.find(http::Method::get, request.path);
    EXPECT_NE(match.handler, nullptr) << target;
    request.params = match.params;
    return result_of((*match.handler)(request));
  }
  std::string events_path(const JobId& id = job) { return "/v1/jobs/" + id.str() + "/events"; }
};

const std::pair<std::string, std::string> json{"accept", "application/json"};

std::string header_of(const http::Response& response, std::string_view name) {
  for (const auto& [own_name, value] : response.headers) {
    if (own_name == name) return value;
  }
  return {};
}

TEST(RelayRoutes, AnotherTenantsJobIsAnsweredAsOneThatNobodyKnows) {
  Edge edge;
  edge.done(job, 1, "a");
  edge.log.records[job].tenant = "other";
  const JobId own = job_id(2);
  edge.done(own, 1, "b");
  const auto masked = [](http::Response response, const JobId& id) {
    for (auto at = response.body.find(id.str()); at != std::string::npos;
         at = response.body.find(id.str()))
      response.body.replace(at, id.str().size(), "ID");
    return std::to_string(response.status) + response.content_type + response.body;
  };
  const JobId unknown = job_id(9);
  for (const auto& headers : {std::vector<std::pair<std::string, std::string>>{}, {json}})
    EXPECT_EQ(masked(edge.get(edge.events_path(job), headers), job),
              masked(edge.get(edge.events_path(unknown), headers), unknown));
  for (const auto& before : {std::string(), own.str() + ","})
    EXPECT_EQ(masked(edge.get("/v1/events?jobs=" + before + job.str()), job),
              masked(edge.get("/v1/events?jobs=" + before + unknown.str()), unknown));
  EXPECT_EQ(edge.get(edge.events_path(unknown)).status, 404);
}

TEST(RelayRoutes, ASignedLinkOpensItsJobWhoeverAsks) {
  Edge edge;
  edge.done(job, 1, "a");
  edge.log.records[job].tenant = "other";
  EXPECT_EQ(edge.get(edge.routes.sign_stream_url(job)).status, 200);
  EXPECT_EQ(edge.get(edge.routes.sign_stream_url(job), {json}).status, 200);
  const auto forged = edge.events_path() + "?expires=9999999999&signature=" + std::string(64, '0');
  EXPECT_EQ(edge.get(forged).status, 403);
}

TEST(RelayRoutes, StreamsAJobAsEvents) {
  Edge edge;
  edge.delta(job, 1, "a");
  edge.done(job, 2, "a");
  const auto response = edge.get(edge.events_path());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/event-stream");
  auto& reader = edge.connect(response.stream);
  edge.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(events_of(reader.writer.got), edge.whole_stream(job));
}

TEST(RelayRoutes, TheHeaderWinsOverTheParameter) {
  Edge edge;
  for (Seq seq = 1; seq <= 4; ++seq) edge.delta(job, seq, "a");
  auto& by_header =
      edge.connect(edge.get(edge.events_path() + "?after=1", {{"last-event-id", "3"}}).stream);
  auto& by_parameter = edge.connect(edge.get(edge.events_path() + "?after=1").stream);
  edge.clock.run_for(10ms);
  EXPECT_EQ(seqs_of(by_header.writer.got), (std::vector<Seq>{4}));
  EXPECT_EQ(seqs_of(by_parameter.writer.got), (std::vector<Seq>{2, 3, 4}));
}

TEST(RelayRoutes, APlaceThatIsNoNumberIsA400ThatNamesTheField) {
  Edge edge;
  edge.delta(job, 1, "a");
  for (const char* wrong : {"x", "-1", "1.5", "9007199254740993", "1,2"}) {
    const auto by_header = edge.get(edge.events_path(), {{"last-event-id", wrong}});
    EXPECT_EQ(by_header.status, 400) << wrong;
    EXPECT_NE(by_header.body.find("Last-Event-ID"), std::string::npos);
    const auto by_parameter = edge.get(edge.events_path() + "?after=" + wrong);
    EXPECT_EQ(by_parameter.status, 400) << wrong;
    EXPECT_NE(by_parameter.body.find("\"after\""), std::string::npos);
    const auto beside = edge.get(edge.events_path() + "?after=" + wrong, {{"last-event-id", "1"}});
    EXPECT_EQ(beside.status, 400) << wrong;
  }
  EXPECT_EQ(edge.get(edge.events_path() + "?after=").status, 400);
}

TEST(RelayRoutes, A204OnlyAtOrPastTheTerminalEvent) {
  Edge edge;
  edge.delta(job, 1, "a");
  edge.done(job, 2, "a");
  edge.delta(job_id(2), 1, "running");
  EXPECT_EQ(edge.get(edge.events_path(), {{"last-event-id", "0"}}).status, 200);
  EXPECT_EQ(edge.get(edge.events_path(), {{"last-event-id", "1"}}).status, 200);
  EXPECT_EQ(edge.get(edge.events_path(), {{"last-event-id", "2"}}).status, 204);
  EXPECT_EQ(edge.get(edge.events_path(), {{"last-event-id", "9007199254740992"}}).status, 204);
  EXPECT_EQ(edge.get(edge.events_path() + "?after=2").status, 204);
  EXPECT_EQ(edge.get(edge.events_path(job_id(2)) + "?after=50").status, 200);
}

TEST(RelayRoutes, TheEndThatWasMadeFromTheStoreIsAnEndFor204) {
  Edge edge;
  edge.store_done(job, "answer");
  EXPECT_EQ(edge.get(edge.events_path() + "?after=57").status, 200);
  EXPECT_EQ(edge.get(edge.events_path() + "?after=9007199254740991").status, 204);
}

TEST(RelayRoutes, A404WhenNeitherLogNorStoreKnowsTheJob) {
  Edge edge;
  const auto unknown = edge.get(edge.events_path());
  EXPECT_EQ(unknown.status, 404);
  EXPECT_NE(unknown.body.find(job.str()), std::string::npos);
  EXPECT_NE(unknown.body.find("\"job_not_found\""), std::string::npos);
  EXPECT_EQ(edge.get(edge.events_path(), {json}).status, 404);
}

TEST(RelayRoutes, AMalformedJobIdIsA400ThatNamesTheField) {
  Edge edge;
  const auto one = edge.get("/v1/jobs/nonsense/events");
  EXPECT_EQ(one.status, 400);
  EXPECT_NE(one.body.find(R"("field":"id")"), std::string::npos) << one.body;
  const auto several = edge.get("/v1/events?jobs=" + job.str() + ",nonsense");
  EXPECT_EQ(several.status, 400);
  EXPECT_NE(several.body.find(R"("field":"jobs")"), std::string::npos) << several.body;
}

TEST(RelayRoutes, WhatWouldBeDroppedInSilenceIsA400ThatNamesIt) {
  Edge edge;
  edge.delta(job, 1, "a");
  const std::string many = "/v1/events?jobs=" + job.str();
  const std::pair<std::string, const char*> wrong[] = {
      {edge.events_path() + "?foo=2", "foo"},
      {edge.events_path() + "?snapshot=2", "snapshot"},
      {edge.events_path() + "?limit=5", "limit"},
      {edge.events_path() + "?after=1&after=2", "after"},
      {many + "&snapshot=1", "snapshot"},
      {"/v1/sessions/s/events?jobs=a", "jobs"}};
  for (const auto& [target, name] : wrong) {
    const auto response = edge.get(target);
    EXPECT_EQ(response.status, 400) << target;
    EXPECT_NE(response.body.find("\"field\":\"" + std::string(name) + '"'), std::string::npos)
        << response.body;
  }
  const auto twice = edge.get(edge.events_path(), {{"last-event-id", "1"}, {"last-event-id", "2"}});
  EXPECT_EQ(twice.status, 400);
  EXPECT_EQ(edge.get(edge.events_path() + "?snapshot=2", {json}).status, 400);
}

TEST(RelayRoutes, SeveralJobsAsJsonAreA406ThatSaysWhatIsServed) {
  Edge edge;
  edge.delta(job, 1, "a");
  for (const auto& target :
       {"/v1/events?jobs=" + job.str(), std::string("/v1/sessions/s/events")}) {
    const auto response = edge.get(target, {json});
    EXPECT_EQ(response.status, 406) << target;
    EXPECT_NE(response.body.find("text/event-stream"), std::string::npos);
    EXPECT_EQ(edge.get(target, {{"accept", "text/event-stream, application/json"}}).status, 200);
    EXPECT_EQ(edge.get(target, {{"accept", "*/*"}}).status, 200);
  }
}

TEST(RelayRoutes, AnUnknownJobIsAskedForAnewEachTime) {
  Edge edge;
  EXPECT_EQ(edge.get(edge.events_path()).status, 404);
  edge.delta(job, 1, "a");
  EXPECT_EQ(edge.get(edge.events_path()).status, 200);
}

TEST(RelayRoutes, A503WithRetryAfterWhenTheLogIsAwayAndTheStoreDoesNotKnowTheJob) {
  Edge edge;
  edge.log.away = true;
  const auto stream = edge.get(edge.events_path());
  EXPECT_EQ(stream.status, 503);
  EXPECT_EQ(header_of(stream, "Retry-After"), "1");
  EXPECT_EQ(edge.get(edge.events_path(), {json}).status, 503);
  edge.store_done(job, "answer");
  EXPECT_EQ(edge.get(edge.events_path()).status, 200);
}

TEST(RelayRoutes, A503WhenTheLogHasNothingAndTheStoreIsAway) {
  Edge edge;
  edge.store_away = true;
  EXPECT_EQ(edge.get(edge.events_path()).status, 503);
}

TEST(RelayRoutes, PagesOfEventsAsJson) {
  Edge edge;
  for (Seq seq = 1; seq <= 5; ++seq) edge.delta(job, seq, "a");
  const auto first = edge.get(edge.events_path() + "?limit=2", {json});
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.content_type, "application/json");
  EXPECT_EQ(count_of(first.body, R"("type":"delta")"), 2u);
  EXPECT_TRUE(first.body.ends_with(R"("last":5,"status":"running","more":true,"next":2})"));
  const auto rest = edge.get(edge.events_path() + "?limit=5&after=2", {json});
  EXPECT_EQ(count_of(rest.body, R"("type":"delta")"), 3u);
  EXPECT_TRUE(rest.body.ends_with(R"("last":5,"status":"running","more":false,"next":5})"));
  EXPECT_EQ(edge.get(edge.events_path() + "?after=5", {json}).body,
            R"({"job":")" + job.str() + R"(","events":[],"last":5,"status":"running",)" +
                R"("more":false,"next":5})");
}

TEST(RelayRoutes, APageSaysMoreWhenTheLogCutIt) {
  Edge edge;
  edge.log.page_events = 3;
  for (Seq seq = 1; seq <= 5; ++seq) edge.delta(job, seq, "a");
  const auto page = edge.get(edge.events_path(), {json});
  EXPECT_TRUE(page.body.ends_with(R"("more":true,"next":3})"));
}

TEST(RelayRoutes, APageOfAGoneLogHasTheGapAndTheStoredEnd) {
  Edge edge;
  edge.store_done(job, "answer");
  const auto page = edge.get(edge.events_path(), {json});
  EXPECT_EQ(count_of(page.body, R"("type":"gap")"), 1u);
  EXPECT_EQ(count_of(page.body, R"("type":"done")"), 1u);
  EXPECT_NE(page.body.find(R"("status":"succeeded","more":false)"), std::string::npos);
}

TEST(RelayRoutes, ALimitOutOfRangeIsA400) {
  Edge edge;
  edge.delta(job, 1, "a");
  for (const char* wrong : {"0", "513", "x", "", "-1"}) {
    EXPECT_EQ(edge.get(edge.events_path() + "?limit=" + wrong, {json}).status, 400) << wrong;
  }
}

TEST(RelayRoutes, WhoAcceptsBothGetsTheStream) {
  Edge edge;
  edge.delta(job, 1, "a");
  const auto response =
      edge.get(edge.events_path(), {{"accept", "text/event-stream, application/json"}});
  EXPECT_TRUE(response.stream);
}

TEST(RelayRoutes, ASignedLinkOpensItsStreamATamperedOrExpiredOneDoesNot) {
  Edge edge;
  edge.delta(job, 1, "a");
  const auto link = edge.routes.sign_stream_url(job);
  EXPECT_EQ(edge.get(link).status, 200);
  const auto tampered = edge.get(link + "0");
  EXPECT_EQ(tampered.status, 403);
  EXPECT_NE(tampered.body.find("GET /v1/jobs/" + job.str()), std::string::npos);
  EXPECT_EQ(edge.get(edge.events_path() + "?signature=").status, 403);
  edge.clock.run_for(limits::stream_url_valid);
  edge.clock.run_for(1s);
  const auto late = edge.get(link);
  EXPECT_EQ(late.status, 403);
  EXPECT_NE(late.body.find("link_expired"), std::string::npos);
}

TEST(RelayRoutes, ManyJobsOnOneConnectionDuplicatesFolded) {
  Edge edge;
  for (int i = 1; i <= 2; ++i) edge.done(job_id(i), 1, "a");
  const auto list = job_id(1).str() + "," + job_id(2).str() + "," + job_id(1).str();
  const auto response = edge.get("/v1/events?jobs=" + list);
  EXPECT_EQ(response.status, 200);
  auto& reader = edge.connect(response.stream);
  edge.clock.run_for(10ms);
  EXPECT_TRUE(reader.ended);
  EXPECT_EQ(count_of(reader.writer.got, "event: done"), 2u);
  EXPECT_TRUE(reader.writer.got.ends_with("\nid: end\n\n"));
  EXPECT_EQ(edge.get("/v1/events?jobs=" + list, {{"last-event-id", "end"}}).status, 204);
}

TEST(RelayRoutes, ManyJobsOfWhichOneIsUnknownAreA404ThatNamesIt) {
  Edge edge;
  edge.delta(job_id(1), 1, "a");
  const auto response = edge.get("/v1/events?jobs=" + job_id(1).str() + "," + job_id(9).str());
  EXPECT_EQ(response.status, 404);
  EXPECT_NE(response.body.find(job_id(9).str()), std::string::npos);
  EXPECT_EQ(response.body.find(job_id(1).str()), std::string::npos);
}

TEST(RelayRoutes, NoJobsOrTooManyAreA400) {
  Edge edge;
  EXPECT_EQ(edge.get("/v1/events").status, 400);
  EXPECT_EQ(edge.get("/v1/events?jobs=").status, 400);
  std::string list;
  for (int i = 0; i <= static_cast<int>(limits::jobs_per_stream_max); ++i) {
    list += job_id(i).str() + ",";
  }
  EXPECT_EQ(edge.get("/v1/events?jobs=" + list).status, 400);
}

TEST(RelayRoutes, AMalformedOrForeignCursorIsA400) {
  Edge edge;
  edge.delta(job, 1, "a");
  const auto path = "/v1/events?jobs=" + job.str();
  EXPECT_EQ(edge.get(path, {{"last-event-id", "7"}}).status, 400);
  EXPECT_EQ(edge.get(path, {{"last-event-id", to_text({{job_id(2), 1}})}}).status, 400);
  EXPECT_EQ(edge.get(path, {{"last-event-id", to_text({{job, 1}})}}).status, 200);
  EXPECT_EQ(edge.get("/v1/sessions/s/events", {{"last-event-id", "7"}}).status, 400);
}

TEST(RelayRoutes, ASessionIsAStreamThatTakesInItsJobs) {
  Edge edge;
  edge.delta(job, 1, "a");
  const auto response = edge.get("/v1/sessions/s/events");
  EXPECT_EQ(response.status, 200);
  auto& reader = edge.connect(response.stream);
  edge.clock.run_for(10ms);
  edge.log.join_session("s", job);
  edge.clock.run_for(10ms);
  EXPECT_EQ(count_of(reader.writer.got, "event: delta"), 1u);
}

TEST(RelayRoutes, AnAnswerThatIsNeverStreamedLeavesNothingBehind) {
  Edge edge;
  edge.delta(job, 1, "a");
  {
    const auto head_only = edge.get(edge.events_path());
  }
  edge.clock.run_for(5s);
  EXPECT_EQ(edge.log.watches, 0);
}

}  // namespace
}  // namespace millrace::relay
