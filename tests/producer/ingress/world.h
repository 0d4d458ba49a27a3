#pragma once
#include <gtest/gtest.h>
#include <simdjson.h>

#include <boost/asio/co_spawn.hpp>
#include <initializer_list>
#include <utility>

#include "producer/ingress/health_routes.h"
#include "producer/ingress/job_view.h"
#include "producer/ingress/jobs_routes.h"
#include "shared/contract/envelope.h"
#include "shared/runtime/virtual_clock.h"
#include "tests/producer/ingress/fakes.h"
#include "tests/seams/fake_objects.h"
#include "tests/seams/fake_sessions.h"

namespace millrace::ingress_test {

/// A stream's far end: keeps what it gets; leaves after `leaves_after` writes.
class FakeWriter final : public http::StreamWriter {
 public:
  explicit FakeWriter(Clock& clock) : clock_(clock), wake_(clock) {}

  std::string bytes;
  std::size_t writes = 0;
  std::size_t leaves_after = SIZE_MAX;

  Task<Result<>> write(std::string_view chunk) override {
    const std::string copy(chunk);
    co_await clock_.sleep_for(1ms);
    if (closed()) co_return Failure(Errc::closed);
    ++writes;
    bytes += copy;
    co_return Result<>();
  }
  bool closed() const override { return writes >= leaves_after; }
  Signal& wake() override { return wake_; }
  bool draining() const override { return false; }

 private:
  Clock& clock_;
  Signal wake_;
};

/// Who waits for an answer, and may leave.
class FakeAsker final : public http::WaitingPeer {
 public:
  explicit FakeAsker(Clock& clock) : wake_(clock) {}
  Signal& watch() override { return wake_; }
  bool gone() const override { return gone_; }
  void leave() {
    gone_ = true;
    wake_.notify();
  }

 private:
  Signal wake_;
  bool gone_ = false;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

/// One edge loop with the ports in memory.
struct World {
  asio::io_context loop{1};
  VirtualClock clock{loop};
  SeededRandom random{7};
  prometheus::Registry registry;
  IngressMetrics metrics{registry};
  FakeQueue queue{clock};
  FakeLog log{clock};
  FakeStore store{clock};
  FakeObjects objects{clock};
  FakeSessions sessions{clock};
  JobEnder ender{log, store, clock, random};
  JobLookup lookup{log, store, clock, ender};
  Cancel cancel{log, store, clock, ender};
  Interrupt interrupt{log, cancel, sessions, clock};
  Submit submit;
  bool queue_ready = true;
  std::string trouble;  ///< what an operator has to mend
  JobsRoutes routes{{submit, lookup, cancel, store, objects, clock, metrics, open_stream, sign}};
  HealthRoutes health{
      {[this] { return queue_ready; }, log, store, {&registry}, [this] { return trouble; }}};
  http::Router router;
  Nursery nursery{clock};

  explicit World(bool log_needed = false)
      : submit({queue, log, store, objects, clock, random, metrics, interrupt, log_needed,
                [this] { return trouble.empty(); }}) {
    routes.add_to(router);
    health.add_to(router);
  }
  ~World() {
    clock.run_for(1h);  // whatever still waits has a deadline
  }

  static http::StreamBody open_stream(const JobId& id, Seq after) {
    return [id, after](http::StreamWriter& out) { return write_place(id, after, out); };
  }
  static Task<> write_place(JobId id, Seq after, http::StreamWriter& out) {
    const std::string place = id.str() + " after " + std::to_string(after);
    co_await out.write(place);
  }
  static std::string sign(const JobId& id) { return job_path(id) + "/events?sig=s"; }

  static Task<> serve(const http::Handler& handler, http::Request& request,
                      std::optional<http::Response>& response) {
    response = co_await handler(request);
  }

  /// A request on its way; kept by the test until it has its answer.
  struct Exchange {
    http::Request request;
    http::Handler handler;
    std::optional<http::Response> response;
    int status() const { return response ? response->status : 0; }
  };

  std::unique_ptr<Exchange> begin(http::Method method, std::string target, std::string body = "",
                                  Headers headers = {}, std::string tenant = "default") {
    auto exchange = std::make_unique<Exchange>();
    http::Request& request = exchange->request;
    const auto mark = target.find('?');
    request.method = method;
    request.tenant = std::move(tenant);
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = target.substr(mark + 1);
    request.body = std::move(body);
    request.headers = std::move(headers);
    const auto match = router.find(method, request.path);
    if (!match.handler) throw std::runtime_error("no route for " + target);
    request.params = match.params;
    exchange->handler = *match.handler;
    nursery.start(serve(exchange->handler, request, exchange->response));
    return exchange;
  }

  http::Response send(http::Method method, std::string target, std::string body = "",
                      Headers headers = {}, Duration patience = 70s) {
    const auto exchange = begin(method, std::move(target), std::move(body), std::move(headers));
    const Instant end = clock.now() + patience;
    while (!exchange->response && clock.now() < end) clock.run_for(1ms);
    if (!exchange->response) throw std::runtime_error("no answer");
    return std::move(*exchange->response);
  }
  http::Response post(std::string body, Headers headers = {}) {
    return send(http::Method::post, "/v1/jobs", std::move(body), std::move(headers));
  }
  http::Response get(std::string target) { return send(http::Method::get, std::move(target)); }
  http::Response cancel_by_post(const JobId& id) {
    return send(http::Method::post, job_path(id) + "/cancel", "",
                {{"content-type", "application/json"}});
  }

  /// Lets the response's stream run to its end.
  std::string drain(http::Response& response) {
    FakeWriter out(clock);
    return drain(response, out);
  }
  std::string drain(http::Response& response, FakeWriter& out) {
    nursery.start(response.stream(out));
    clock.run_for(60s);
    return out.bytes;
  }

  template <class T>
  static Task<> into(Task<T> task, std::optional<T>& result) {
    result = co_await std::move(task);
  }
  template <class T>
  T run(Task<T> task) {
    std::optional<T> result;
    nursery.start(into(std::move(task), result));
    while (!result) clock.run_for(1ms);
    return std::move(*result);
  }

  JobId posted(std::string body = R"({"input":"hello"})", Headers headers = {}) {
    return id_of(post(std::move(body), std::move(headers)));
  }

  static JobId id_of(const http::Response& response);
};

/// One value of a JSON document by pointer, as JSON text; `absent` where there is none.
inline std::string at(const std::string& json, std::string_view pointer) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json).get(root)) return "not JSON: " + json;
  simdjson::dom::element value;
  if (root.at_pointer(pointer).get(value)) return "absent";
  std::string_view text;
  if (!value.get(text)) return std::string(text);
  return simdjson::minify(value);
}

inline JobId World::id_of(const http::Response& response) {
  return JobId::parse(at(response.body, "/id")).value_or(JobId{});
}

inline std::string header(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

/// A worker as far as ingress can tell: takes the lease, says words, ends the job.
struct Holder {
  World& world;
  Job job;
  Token token;
  Seq last = 0;

  Holder(World& w, const JobId& id) : world(w), job(w.log.records.at(id).job) {
    token = new_token(world.random);
    begin();
  }
  void begin() {
    const BeginRequest request{.job = job, .token = token, .worker = "w"};
    const auto begun = world.run(world.log.begin(request));
    ASSERT_TRUE(begun);
    last = begun->last;
    ASSERT_TRUE(world.run(world.store.begin(job, 1)));
  }
  Result<Appended> say(std::string_view text) {
    std::string line;
    EventWriter(job.id, job.created_at).delta(line, {last + 1, world.clock.wall()}, text);
    AppendRequest request{job.id, token, last, 1, line, {}};
    const auto appended = world.run(world.log.append(request));
    if (appended) ++last;
    return appended;
  }
  Result<Finished> finish(Outcome outcome) {
    return world.run(world.store.finish(job, outcome, nullptr));
  }
  Result<> end(const Outcome& standing, std::optional<std::string_view> held) {
    return world.run(append_ending(world.log, world.clock,
                                   Ending{job, token, last, std::nullopt, standing, held}));
  }
  static Outcome done(std::string text) {
    Outcome outcome;
    outcome.state = JobState::succeeded;
    outcome.text = std::move(text);
    outcome.finish_reason = "stop";
    outcome.model = "m";
    outcome.usage = R"({"total_tokens":3})";
    return outcome;
  }
};

}  // namespace millrace::ingress_test
