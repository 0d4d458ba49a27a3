#include "producer/openai/chat_routes.h"

#include "producer/openai/models_routes.h"
#include "tests/producer/openai/world.h"

namespace millrace::openai {
namespace {

using ingress_test::at;
using ingress_test::FakeAsker;
using ingress_test::FakeWriter;
using ingress_test::header;
using ingress_test::Headers;
using ingress_test::Holder;

std::string body_of(std::string_view more = "") {
  return R"({"model":"m","messages":[{"role":"user","content":"hi"}])" + std::string(more) + "}";
}
const std::string whole = body_of();
const std::string streamed = body_of(R"(,"stream":true)");

/// The chat routes on an edge loop of their own.
struct ChatWorld : World {
  ChatRoutes chat{{submit, lookup, cancel, hub, clock, metrics}};
  ModelsRoutes models{ModelsRoutes::served("org/m", false)};

  ChatWorld() : World("/v1/chat/completions") {
    chat.add_to(router);
    models.add_to(router);
  }
  ~ChatWorld() { stop(); }

  void fail(const std::string& code) {
    Outcome outcome;
    outcome.error_code = code;
    outcome.error_message = "words of the model's server";
    Holder holder(*this, job());
    ASSERT_TRUE(holder.finish(outcome));
    ASSERT_TRUE(holder.end(outcome, ""));
    clock.run_for(1s);
  }
};

TEST(Chat, IsAJobLikeAnyOther) {
  ChatWorld w;
  const auto sent = w.ask(body_of(R"(,"temperature":0.5,"seed":7,"metadata":{"a":"b"})"));
  ASSERT_EQ(w.queue.jobs.size(), 1u);
  const Job& job = w.queue.jobs[0];
  EXPECT_EQ(job.input, R"([{"role":"user","content":"hi"}])");
  EXPECT_EQ(job.params, R"({"seed":7})");
  EXPECT_TRUE(job.envelope.contains(R"("params":{"temperature":0.5,"seed":7})"));
  EXPECT_TRUE(job.envelope.contains(R"("metadata":{"a":"b"})"));
  EXPECT_FALSE(sent->response);
  w.answer("hello");
  ASSERT_EQ(sent->status(), 200);
  EXPECT_EQ(at(sent->response->body, "/choices/0/message/content"), "hello");
  EXPECT_EQ(at(sent->response->body, "/id"), "chatcmpl-" + w.job().str());
  EXPECT_EQ(header(*sent->response, "X-Millrace-Job"), w.job().str());
}

TEST(Chat, SendsNoHeadOfAStreamBeforeTheFirstWord) {
  ChatWorld w;
  const auto sent = w.ask(streamed);
  w.clock.run_for(1s);
  EXPECT_FALSE(sent->response);
  Holder holder(w, w.job());
  ASSERT_TRUE(holder.say("a"));
  w.clock.run_for(10ms);
  ASSERT_EQ(sent->status(), 200);
  EXPECT_EQ(sent->response->content_type, "text/event-stream");
}

TEST(Chat, HoldsTheHeadOfAStreamBackForFiveSecondsAtMostThenKeepsItAlive) {
  ChatWorld w;
  const auto sent = w.ask(streamed);
  w.clock.run_for(first_word_wait_max);
  ASSERT_EQ(sent->status(), 200);
  FakeWriter out(w.clock);
  w.nursery.start(sent->response->stream(out));
  w.clock.run_for(16s);
  EXPECT_EQ(out.bytes, ":\n\n");
  w.answer("late");
  EXPECT_TRUE(out.bytes.contains(R"("delta":{"content":"late"})"));
  EXPECT_TRUE(out.bytes.ends_with("data: [DONE]\n\n"));
}

TEST(Chat, AFailureBeforeTheFirstWordHasItsStatusStreamedOrNot) {
  for (const auto& body : {whole, streamed}) {
    ChatWorld w;
    const auto sent = w.ask(body);
    w.fail("upstream_refused");
    ASSERT_EQ(sent->status(), 400);
    EXPECT_EQ(at(sent->response->body, "/error/code"), "upstream_refused");
    EXPECT_EQ(at(sent->response->body, "/error/message"), "words of the model's server");
    EXPECT_EQ(header(*sent->response, "x-should-retry"), "false");
    EXPECT_EQ(header(*sent->response, "X-Millrace-Job"), w.job().str());
  }
}

TEST(Chat, AFailureBehindAWordIsToldInTheStream) {
  ChatWorld w;
  const auto sent = w.ask(streamed);
  Holder holder(w, w.job());
  ASSERT_TRUE(holder.say("a"));
  w.clock.run_for(10ms);
  ASSERT_EQ(sent->status(), 200);
  Outcome outcome;
  outcome.text = "a";
  outcome.error_code = "upstream_cut";
  ASSERT_TRUE(holder.finish(outcome));
  ASSERT_TRUE(holder.end(outcome, "a"));
  const auto told = w.drain(*sent->response);
  EXPECT_TRUE(told.ends_with("\"code\":\"upstream_cut\"}}\n\n")) << told;
}

TEST(Chat, WhoeverLeavesWhileItIsWaitedForCancelsIt) {
  for (const auto& body : {whole, streamed}) {
    ChatWorld w;
    FakeAsker asker(w.clock);
    const auto sent = w.begin(http::Method::post, "/v1/chat/completions", body, json);
    sent->request.asker = &asker;
    w.clock.run_for(1s);
    EXPECT_EQ(w.state(), JobState::queued);
    asker.leave();
    w.clock.run_for(2s);
    EXPECT_TRUE(sent->response);
    EXPECT_EQ(w.state(), JobState::cancelled);
    EXPECT_FALSE(w.log.watched());
  }
}

TEST(Chat, WhoeverLeavesAStreamCancelsIt) {
  ChatWorld w;
  const auto sent = w.ask(streamed);
  Holder holder(w, w.job());
  ASSERT_TRUE(holder.say("a"));
  w.clock.run_for(10ms);
  FakeWriter out(w.clock);
  w.nursery.start(sent->response->stream(out));
  w.clock.run_for(1s);
  EXPECT_NE(w.state(), JobState::cancelled);
  out.leaves_after = out.writes;
  out.wake().notify();
  w.clock.run_for(2s);
  EXPECT_EQ(w.state(), JobState::cancelled);
}

TEST(Chat, AJobGoesOnForWhoSaysSoOrCanAskAgain) {
  const auto says_so = body_of(R"(,"metadata":{"millrace_on_disconnect":"continue"})");
  const auto says_not = body_of(R"(,"metadata":{"millrace_on_disconnect":"cancel"})");
  const Headers keyed{{"content-type", "application/json"}, {"idempotency-key", "k"}};
  const auto left_as = [](const std::string& body, const Headers& headers) {
    ChatWorld w;
    FakeAsker asker(w.clock);
    const auto sent = w.begin(http::Method::post, "/v1/chat/completions", body, headers);
    sent->request.asker = &asker;
    w.clock.run_for(1s);
    asker.leave();
    w.clock.run_for(2s);
    return w.state();
  };
  EXPECT_EQ(left_as(says_so, json), JobState::queued);
  EXPECT_EQ(left_as(whole, keyed), JobState::queued);
  EXPECT_EQ(left_as(says_not, keyed), JobState::cancelled);
}

TEST(Chat, NobodyWaitsForEverAndWhatNobodyWaitsForEnds) {
  ChatWorld w;
  const auto sent = w.ask(whole);
  w.clock.run_for(whole_answer_wait_max - 1s);
  EXPECT_FALSE(sent->response);
  w.clock.run_for(2s);
  ASSERT_EQ(sent->status(), 504);
  EXPECT_EQ(at(sent->response->body, "/error/code"), "timeout");
  EXPECT_EQ(header(*sent->response, "x-should-retry"), "false");
  EXPECT_EQ(w.state(), JobState::cancelled);
}

TEST(Chat, TheSameKeyIsTheSameAnswerByteForByte) {
  ChatWorld w;
  const Headers keyed{{"content-type", "application/json"}, {"idempotency-key", "k"}};
  const auto first = w.ask(streamed, keyed);
  w.answer("hello");
  const auto again = w.ask(streamed, keyed);
  EXPECT_EQ(header(*again->response, "Idempotent-Replayed"), "true");
  EXPECT_EQ(w.drain(*first->response), w.drain(*again->response));
  EXPECT_EQ(w.queue.jobs.size(), 1u);
  const auto other = w.ask(whole, keyed);
  EXPECT_EQ(other->status(), 422);
  EXPECT_EQ(at(other->response->body, "/error/param"), "Idempotency-Key");
}

TEST(Chat, AnAnswerWhoseLogHasGoneIsToldFromTheStore) {
  ChatWorld w;
  const Headers keyed{{"content-type", "application/json"}, {"idempotency-key", "k"}};
  const auto first = w.ask(streamed, keyed);
  w.answer("hello");
  w.log.lose_all();
  w.clock.run_for(10s);  // and nobody has it in memory any more
  const auto again = w.ask(streamed, keyed);
  ASSERT_EQ(again->status(), 200);
  EXPECT_EQ(w.drain(*again->response), w.drain(*first->response));
}

TEST(Chat, ARestartEndsTheStreamAndTheJob) {
  ChatWorld w;
  const auto sent = w.ask(streamed);
  Holder holder(w, w.job());
  ASSERT_TRUE(holder.say("a"));
  w.clock.run_for(10ms);
  std::string line;
  EventWriter(holder.job.id, holder.job.created_at)
      .rewind(line, {holder.last + 1, w.clock.wall()}, 1);
  ASSERT_TRUE(w.run(w.log.append({holder.job.id, holder.token, holder.last, 1, line, {}})));
  const auto told = w.drain(*sent->response);
  EXPECT_TRUE(told.ends_with("\"code\":\"stream_restarted\"}}\n\n")) << told;
  EXPECT_EQ(w.state(), JobState::cancelled);
}

TEST(Chat, WhatIsNotAcceptedIsRefusedInOpenAisShape) {
  ChatWorld w;
  w.queue.fails = Errc::unavailable;
  const auto sent = w.ask(whole);
  ASSERT_EQ(sent->status(), 503);
  EXPECT_EQ(at(sent->response->body, "/error/code"), "queue_unavailable");
  EXPECT_EQ(header(*sent->response, "Retry-After"), "2");
  EXPECT_EQ(header(*sent->response, "x-should-retry"), "");
  w.queue.fails = Errc::timed_out;
  const auto unknown = w.ask(streamed);
  ASSERT_EQ(unknown->status(), 503);
  EXPECT_EQ(header(*unknown->response, "x-should-retry"), "false");
}

TEST(Chat, RefusesWhatItCannotReadOrWouldNotHear) {
  ChatWorld w;
  const auto refused = [&w](std::string body, Headers headers, std::string query = "") {
    auto response = w.send(http::Method::post, "/v1/chat/completions" + query, std::move(body),
                           std::move(headers));
    return std::to_string(response.status) + " " + at(response.body, "/error/param");
  };
  EXPECT_EQ(refused(whole, {{"content-type", "text/plain"}}), "415 Content-Type");
  EXPECT_EQ(refused(whole, {{"content-type", "application/x-ndjson"}}), "415 Content-Type");
  EXPECT_EQ(refused(whole, json, "?api-version=1"), "400 api-version");
  EXPECT_EQ(refused(whole, {{"idempotency-key", "a b"}}), "400 Idempotency-Key");
  EXPECT_EQ(refused("", json), "400 null");
  EXPECT_EQ(refused(body_of(R"(,"n":3)"), json), "400 n");
  EXPECT_TRUE(w.queue.jobs.empty());
}

TEST(Models, AreListedAndFoundWithTheirSlashWrittenEitherWay) {
  ChatWorld w;
  const auto list = w.get("/v1/models");
  EXPECT_EQ(at(list.body, "/object"), "list");
  EXPECT_EQ(at(list.body, "/data/0/id"), "org/m");
  EXPECT_EQ(at(list.body, "/data/1"), "absent");
  EXPECT_EQ(w.get("/v1/models/org%2Fm").body, w.get("/v1/models/org/m").body);
  EXPECT_EQ(w.get("/v1/models/org/m").status, 200);
  const auto none = w.get("/v1/models/other");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(at(none.body, "/error/code"), "model_not_found");
}

}  // namespace
}  // namespace millrace::openai
