#include "producer/openai/response_routes.h"

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
  return R"({"model":"m","input":"hi")" + std::string(more) + "}";
}

/// The response routes on an edge loop of their own.
struct ResponseWorld : World {
  JobEraser eraser{{store, log, objects, cancel, clock, 5min}};
  ResponseRoutes responses{{submit, lookup, cancel, hub, store, objects, clock, metrics, eraser}};

  ResponseWorld() : World("/v1/responses") { responses.add_to(router); }
  ~ResponseWorld() { stop(); }

  std::string name(std::size_t n = 0) const { return response_id(job(n)); }
  /// A response that has been answered; its name.
  std::string answered(const std::string& body, const std::string& text) {
    const auto sent = ask(body);
    answer(text, queue.jobs.size() - 1);
    EXPECT_EQ(sent->status(), 200);
    return name(queue.jobs.size() - 1);
  }
  http::Response show(const std::string& response, const std::string& more = "") {
    return get("/v1/responses/" + response + more);
  }
  std::string stream_of(const std::string& response, const std::string& more = "") {
    auto shown = show(response, "?stream=true" + more);
    EXPECT_EQ(shown.status, 200) << shown.body;
    return shown.status == 200 ? drain(shown) : shown.body;
  }
  http::Response call(http::Method method, const std::string& path) {
    return send(method, "/v1/responses/" + path, "", json);
  }
};

const std::string background = R"(,"background":true)";
const std::string streamed = R"(,"stream":true)";

TEST(Responses, AreJobsLikeAnyOther) {
  ResponseWorld w;
  const auto sent = w.ask(body_of(R"(,"temperature":0.5,"top_p":0.5,"metadata":{"a":"b"})"));
  ASSERT_EQ(w.queue.jobs.size(), 1u);
  const Job& job = w.queue.jobs[0];
  EXPECT_EQ(job.input, R"([{"role":"user","content":"hi"}])");
  EXPECT_EQ(job.params, R"({"top_p":0.5})");
  EXPECT_EQ(job.metadata, R"({"a":"b"})");
  EXPECT_FALSE(sent->response);
  w.answer("hello");
  ASSERT_EQ(sent->status(), 200);
  EXPECT_EQ(at(sent->response->body, "/id"), w.name());
  EXPECT_EQ(at(sent->response->body, "/status"), "completed");
  EXPECT_EQ(at(sent->response->body, "/output/0/content/0/text"), "hello");
  EXPECT_EQ(header(*sent->response, "X-Millrace-Job"), w.job().str());
  EXPECT_EQ(w.show(w.name()).body, sent->response->body);
}

TEST(Responses, InTheBackgroundAreAnsweredAtOnceAndFoundLater) {
  ResponseWorld w;
  const auto sent = w.ask(body_of(background));
  ASSERT_EQ(sent->status(), 200);
  EXPECT_EQ(at(sent->response->body, "/status"), "queued");
  EXPECT_EQ(at(w.show(w.name()).body, "/status"), "queued");
  Holder holder(w, w.job());
  EXPECT_EQ(at(w.show(w.name()).body, "/status"), "in_progress");
  ASSERT_TRUE(holder.finish(Holder::done("hello")));
  ASSERT_TRUE(holder.end(Holder::done("hello"), ""));
  const auto shown = w.show(w.name()).body;
  EXPECT_EQ(at(shown, "/status"), "completed");
  EXPECT_EQ(at(shown, "/background"), "true");
  EXPECT_EQ(at(shown, "/output/0/content/0/text"), "hello");
}

TEST(Responses, AStreamIsTheSameForWhoAskedAndWhoComesLater) {
  ResponseWorld w;
  const auto sent = w.ask(body_of(streamed));
  w.answer("hello");
  const auto told = w.drain(*sent->response);
  EXPECT_TRUE(told.contains(R"("delta":"hello")"));
  EXPECT_TRUE(told.contains("event: response.completed"));
  EXPECT_EQ(w.stream_of(w.name()), told);
}

TEST(Responses, AStreamGoesOnBehindAnyPlace) {
  ResponseWorld w;
  w.answered(body_of(streamed), "hello");
  const auto whole = w.stream_of(w.name());
  const auto rest = w.stream_of(w.name(), "&starting_after=4");
  EXPECT_TRUE(rest.starts_with("event: response.output_text.done")) << rest;
  EXPECT_TRUE(whole.ends_with(rest));
  auto by_header = w.send(http::Method::get, "/v1/responses/" + w.name() + "?stream=true", "",
                          {{"last-event-id", "4"}});
  EXPECT_EQ(w.drain(by_header), rest);
}

TEST(Responses, AStreamWhoseLogHasGoneIsMadeFromTheStore) {
  ResponseWorld w;
  w.answered(body_of(streamed), "hello");
  w.log.lose_all();
  w.clock.run_for(10s);  // and nobody has it in memory any more
  const auto told = w.stream_of(w.name());
  EXPECT_TRUE(told.contains(R"("delta":"hello")")) << told;
  EXPECT_TRUE(told.contains("event: response.completed"));
  const auto beyond = w.stream_of(w.name(), "&starting_after=500");
  EXPECT_TRUE(beyond.starts_with("event: response.completed")) << beyond;
}

TEST(Responses, WhoeverLeavesOneThatIsNotInTheBackgroundCancelsIt) {
  for (const bool in_background : {false, true}) {
    ResponseWorld w;
    const auto sent = w.ask(body_of(streamed + (in_background ? background : "")));
    FakeWriter out(w.clock);
    w.nursery.start(sent->response->stream(out));
    w.clock.run_for(1s);
    out.leaves_after = out.writes;
    out.wake().notify();
    w.clock.run_for(2s);
    EXPECT_EQ(w.state(), in_background ? JobState::queued : JobState::cancelled);
  }
}

TEST(Responses, WhoeverLeavesAnAnswerInOnePieceCancelsIt) {
  ResponseWorld w;
  FakeAsker asker(w.clock);
  const auto sent = w.begin(http::Method::post, "/v1/responses", body_of(), json);
  sent->request.asker = &asker;
  w.clock.run_for(1s);
  EXPECT_EQ(w.state(), JobState::queued);
  asker.leave();
  w.clock.run_for(2s);
  EXPECT_EQ(w.state(), JobState::cancelled);
}

TEST(Responses, WhoLooksAtAStreamAndLeavesEndsNothing) {
  ResponseWorld w;
  (void)w.ask(body_of(background));
  auto shown = w.show(w.name(), "?stream=true");
  FakeWriter out(w.clock);
  w.nursery.start(shown.stream(out));
  w.clock.run_for(1s);
  out.leaves_after = out.writes;
  out.wake().notify();
  w.clock.run_for(2s);
  EXPECT_EQ(w.state(), JobState::queued);
}

TEST(Responses, ACancelIsAnsweredTheSameHoweverOftenItIsAskedFor) {
  ResponseWorld w;
  (void)w.ask(body_of(background));
  const auto first = w.call(http::Method::post, w.name() + "/cancel");
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(at(first.body, "/status"), "cancelled");
  EXPECT_EQ(w.call(http::Method::post, w.name() + "/cancel").body, first.body);
  EXPECT_EQ(w.show(w.name()).body, first.body);
  EXPECT_TRUE(w.stream_of(w.name()).contains(R"("status":"cancelled")"));
}

TEST(Responses, OnlyThoseInTheBackgroundAreCancelled) {
  ResponseWorld w;
  w.answered(body_of(), "hello");
  const auto refused = w.call(http::Method::post, w.name() + "/cancel");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(at(refused.body, "/error/code"), "not_cancellable");
}

TEST(Responses, WhatIsUnknownForWhateverReasonIsTheSame404) {
  ResponseWorld w;
  w.answered(body_of(R"(,"store":false)"), "hello");
  const auto native = w.posted();
  w.clock.run_for(1s);
  const auto unknown = "resp_01a1fe87-e606-7657-bf68-4eb31e12a026";
  for (const std::string& name :
       {std::string("resp_1"), std::string(unknown), w.name(), response_id(native)}) {
    for (const std::string& path : {name, name + "?stream=true", name + "/input_items"}) {
      const auto missing = w.show(path);
      EXPECT_EQ(missing.status, 404) << path;
      EXPECT_EQ(missing.body, R"({"error":{"message":"Response with id ')" + name +
                                  R"(' not found.","type":"invalid_request_error",)"
                                  R"("param":null,"code":"response_not_found"}})");
    }
    EXPECT_EQ(w.call(http::Method::post, name + "/cancel").status, 404);
    EXPECT_EQ(w.call(http::Method::del, name).status, 404);
  }
}

TEST(Responses, AnothersAreAsUnknownAsThoseThatNeverWere) {
  ResponseWorld w;
  w.answered(body_of(), "hello");
  const auto tell = [&w](http::Method method, const std::string& path, const std::string& body) {
    const auto sent = w.begin(method, "/v1/responses" + path, body, json, "other");
    w.clock.run_for(2s);
    return sent->response ? std::move(*sent->response) : http::Response();
  };
  const std::string never = "resp_01a1fe87-e606-7657-bf68-4eb31e12a026";
  const auto same = [&](http::Method method, const std::string& rest, const std::string& body) {
    auto anothers = tell(method, "/" + w.name() + rest, body).body;
    const auto at_name = anothers.find(w.name());
    ASSERT_NE(at_name, anothers.npos) << anothers;
    anothers.replace(at_name, w.name().size(), never);
    EXPECT_EQ(anothers, tell(method, "/" + never + rest, body).body);
  };
  same(http::Method::get, "", "");
  same(http::Method::get, "/input_items", "");
  same(http::Method::post, "/cancel", "");
  same(http::Method::del, "", "");
  const auto follow =
      tell(http::Method::post, "", body_of(R"(,"previous_response_id":")" + w.name() + "\""));
  EXPECT_EQ(at(follow.body, "/error/code"), "previous_response_not_found");
  const auto refer = tell(
      http::Method::post, "",
      R"({"model":"m","input":[{"type":"item_reference","id":"msg_)" + w.job().str() + R"(_0"}]})");
  EXPECT_EQ(at(refer.body, "/error/code"), "item_not_found");
}

TEST(Responses, OneThatIsDeletedIsForgotten) {
  ResponseWorld w;
  w.answered(body_of(R"(,"instructions":"secret")"), "hello");
  const auto deleted = w.call(http::Method::del, w.name());
  ASSERT_EQ(deleted.status, 200);
  EXPECT_EQ(deleted.body, R"({"id":")" + w.name() + R"(","object":"response","deleted":true})");
  EXPECT_EQ(w.show(w.name()).status, 404);
  EXPECT_EQ(w.call(http::Method::del, w.name()).status, 404);
  const auto& row = w.store.rows.at(w.job());
  EXPECT_FALSE(row.envelope.contains("secret") || row.envelope.contains("\"hi\""));
  EXPECT_EQ(row.outcome->text, "");
}

TEST(Responses, OneThatRunsIsCancelledByItsDeletion) {
  ResponseWorld w;
  (void)w.ask(body_of(background));
  EXPECT_EQ(w.call(http::Method::del, w.name()).status, 200);
  EXPECT_EQ(w.state(), JobState::cancelled);
}

TEST(Responses, InputItemsAreListedInPages) {
  ResponseWorld w;
  w.answered(R"({"model":"m","instructions":"x","input":[{"role":"user","content":"1"},)"
             R"({"role":"assistant","content":"2"},{"role":"user","content":"3"}]})",
             "hello");
  const auto path = w.name() + "/input_items";
  const auto all = w.show(path).body;
  EXPECT_EQ(at(all, "/data/0/content/0/text"), "3");
  EXPECT_EQ(at(all, "/data/2/content/0/text"), "1");
  EXPECT_EQ(at(all, "/has_more"), "false");
  EXPECT_EQ(at(all, "/last_id"), "msg_" + w.job().str() + "_i0");
  const auto first = w.show(path + "?order=asc&limit=2").body;
  EXPECT_EQ(at(first, "/data/1/content/0/type"), "output_text");
  EXPECT_EQ(at(first, "/has_more"), "true");
  const auto next = w.show(path + "?order=asc&limit=2&after=" + at(first, "/last_id")).body;
  EXPECT_EQ(at(next, "/data/0/content/0/text"), "3");
  EXPECT_EQ(at(next, "/data/1"), "absent");
  EXPECT_EQ(at(w.show(path + "?limit=0").body, "/error/param"), "limit");
  EXPECT_EQ(at(w.show(path + "?order=up").body, "/error/param"), "order");
  EXPECT_EQ(at(w.show(path + "?after=msg_1").body, "/error/param"), "after");
}

TEST(Responses, ALargeInputIsReadBackFromTheObjects) {
  ResponseWorld w;
  const std::string words(300'000, 'x');
  w.answered(R"({"model":"m","input":")" + words + "\"}", "hello");
  ASSERT_TRUE(w.queue.jobs[0].input_ref);
  EXPECT_EQ(at(w.show(w.name() + "/input_items").body, "/data/0/content/0/text"), words);
  w.answered(body_of(R"(,"previous_response_id":")" + w.name() + "\""), "again");
  ASSERT_EQ(w.objects.kept.size(), 2u);
  EXPECT_EQ(w.call(http::Method::del, w.name()).status, 200);
  EXPECT_EQ(w.objects.kept.size(), 1u);
  w.objects.fails = Errc::unavailable;
  const auto away = w.show(w.name(1) + "/input_items");
  EXPECT_EQ(away.status, 503);
  EXPECT_EQ(at(away.body, "/error/code"), "objects_unavailable");
}

TEST(Responses, OneThatFollowsAnotherIsTellingItsModelAllThatWasSaidButTheInstructions) {
  ResponseWorld w;
  w.answered(body_of(R"(,"instructions":"first")"), "hello");
  w.answered(body_of(R"(,"instructions":"second","previous_response_id":")" + w.name() + "\""),
             "again");
  EXPECT_EQ(w.queue.jobs[1].input,
            R"([{"role":"system","content":"second"},{"role":"user","content":"hi"},)"
            R"({"role":"assistant","content":"hello"},{"role":"user","content":"hi"}])");
  EXPECT_EQ(at(w.show(w.name(1)).body, "/previous_response_id"), w.name());
  EXPECT_EQ(at(w.show(w.name(1) + "/input_items").body, "/data/1/content/0/text"), "hello");
}

TEST(Responses, OneThatFollowsNothingThatCanBeFollowedIsRefused) {
  ResponseWorld w;
  const auto after = [&w](const std::string& name) {
    return *w.ask(body_of(R"(,"previous_response_id":")" + name + "\""))->response;
  };
  const auto unknown = after("resp_1");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(at(unknown.body, "/error/code"), "previous_response_not_found");
  EXPECT_EQ(at(unknown.body, "/error/param"), "previous_response_id");
  (void)w.ask(body_of(background));
  const auto early = after(w.name());
  EXPECT_EQ(early.status, 400);
  EXPECT_EQ(at(early.body, "/error/param"), "previous_response_id");
  w.answer("hello");
  w.answered(body_of(R"(,"store":false)"), "hello");
  EXPECT_EQ(at(after(w.name(1)).body, "/error/code"), "previous_response_not_found");
  EXPECT_EQ(w.queue.jobs.size(), 2u);
}

TEST(Responses, AnItemIsNamedInsteadOfSentAgain) {
  ResponseWorld w;
  w.answered(body_of(), "hello");
  const auto refer = [](const std::string& item) {
    return R"({"model":"m","input":[{"type":"item_reference","id":")" + item +
           R"("},{"role":"user","content":"and?"}]})";
  };
  w.answered(refer("msg_" + w.job().str() + "_0"), "again");
  EXPECT_EQ(w.queue.jobs[1].input,
            R"([{"role":"assistant","content":"hello"},{"role":"user","content":"and?"}])");
  w.answered(refer("msg_" + w.job().str() + "_i0"), "again");
  EXPECT_EQ(w.queue.jobs[2].input,
            R"([{"role":"user","content":"hi"},{"role":"user","content":"and?"}])");
  const auto unknown = w.ask(refer("msg_" + w.job().str() + "_i7"));
  EXPECT_EQ(unknown->status(), 404);
  EXPECT_EQ(at(unknown->response->body, "/error/code"), "item_not_found");
}

TEST(Responses, AFailureOfOneThatIsWaitedForHasItsStatusAndIsKept) {
  ResponseWorld w;
  const auto sent = w.ask(body_of());
  Outcome outcome;
  outcome.error_code = "upstream_refused";
  outcome.error_message = "words of the model's server";
  Holder holder(w, w.job());
  ASSERT_TRUE(holder.finish(outcome));
  ASSERT_TRUE(holder.end(outcome, ""));
  w.clock.run_for(1s);
  ASSERT_EQ(sent->status(), 400);
  EXPECT_EQ(at(sent->response->body, "/error/code"), "upstream_refused");
  EXPECT_EQ(header(*sent->response, "x-should-retry"), "false");
  EXPECT_EQ(at(w.show(w.name()).body, "/status"), "failed");
  EXPECT_EQ(at(w.show(w.name()).body, "/error/code"), "invalid_prompt");
}

TEST(Responses, TheSameKeyIsOneResponse) {
  ResponseWorld w;
  const Headers keyed{{"content-type", "application/json"}, {"idempotency-key", "k"}};
  const auto first = w.ask(body_of(background), keyed);
  const auto again = w.ask(body_of(background), keyed);
  EXPECT_EQ(w.queue.jobs.size(), 1u);
  EXPECT_EQ(first->response->body, again->response->body);
  EXPECT_EQ(header(*again->response, "Idempotent-Replayed"), "true");
  EXPECT_EQ(w.ask(body_of(), keyed)->status(), 422);
}

TEST(Responses, RefuseWhatTheyCannotReadOrWouldNotHear) {
  ResponseWorld w;
  EXPECT_EQ(w.ask("{")->status(), 400);
  EXPECT_EQ(w.ask(body_of(), {{"content-type", "text/plain"}})->status(), 415);
  w.answered(body_of(), "hello");
  for (const std::string more :
       {"?stream=yes", "?starting_after=1", "?stream=true&starting_after=x",
        "?stream=true&stream=true", "?colour=red"})
    EXPECT_EQ(w.show(w.name(), more).status, 400) << more;
  w.queue.fails = Errc::unavailable;
  const auto away = w.ask(body_of());
  EXPECT_EQ(away->status(), 503);
  EXPECT_EQ(at(away->response->body, "/error/code"), "queue_unavailable");
}

}  // namespace
}  // namespace millrace::openai
