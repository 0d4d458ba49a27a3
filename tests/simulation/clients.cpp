#include "tests/simulation/clients.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "shared/contract/state.h"

namespace millrace::sim {
namespace {

constexpr Duration submit_patience = 20s;
constexpr Duration cancel_patience = 15s;
constexpr Duration no_content_patience = 5s;

/// Of the numbers of words, one in so many comes with an input that does not fit the envelope.
constexpr std::uint32_t large_every = 12;

std::string member(std::string_view json, std::string_view name) {
  const auto at = json.find(name);
  if (at == std::string_view::npos) return {};
  const auto begin = at + name.size();
  return std::string(json.substr(begin, json.find('"', begin) - begin));
}

std::string body_of(const JobPlan& plan, WallTime wall) {
  const std::string wish = "n=" + std::to_string(plan.words) +
                           " gap=" + std::to_string(plan.gap_ms) + " tag=" + plan.tag;
  std::string body = R"({"input":")" + wish;
  if (plan.words % large_every == 0)  // the judge reads the wish in the envelope
    body += std::string(limits::input_bytes_max, ' ') + R"(","metadata":{"wish":")" + wish + "\"}";
  else
    body += '"';
  if (!plan.session.empty()) body += R"(,"session":")" + plan.session + "\"";
  if (plan.deadline_s > 0)
    body += ",\"deadline_s\":" + std::to_string(static_cast<int>(plan.deadline_s));
  if (plan.not_before_ms > 0)
    body += R"(,"not_before":")" +
            to_rfc3339(wall + std::chrono::milliseconds(plan.not_before_ms)) + "\"";
  return body + "}";
}

http::Request request_for(http::Method method, std::string path) {
  http::Request request;
  request.method = method;
  request.path = std::move(path);
  request.request_id = "r";
  return request;
}

}  // namespace

Clients::Clients(World& world, Cluster& cluster, const Plan& plan)
    : world_(world),
      cluster_(cluster),
      plan_(plan),
      process_(world.process("clients")),
      tasks_(process_.clock) {
  for (const JobPlan& job : plan_.jobs) tasks_.start(submit(job));
}

Clients::~Clients() = default;

void Clients::stop() {
  asio::post(process_.loop, [this] { tasks_.stop(); });
}

// --- requests

std::shared_ptr<Exchange> Clients::open(http::Request request) {
  auto exchange = std::make_shared<Exchange>(world_, process_, std::move(request));
  const auto place = world_.chance.between(0, cluster_.edges() - 1);
  if (exchange->request().method == http::Method::get)
    world_.note("client",
                "GET " + exchange->request().path.substr(39) + " at edge" + std::to_string(place));
  world_.after(world_.chance.us(50, 800), [this, exchange, place] {
    Edge* edge = cluster_.edge(place);
    if (edge)
      edge->serve(exchange);
    else
      exchange->break_off();
  });
  return exchange;
}

Task<Clients::Answer> Clients::ask(http::Request request, Duration patience) {
  const auto exchange = open(std::move(request));
  const Instant until = process_.clock.now() + patience;
  Answer answer;
  while (!exchange->ended() && !exchange->cut() && process_.clock.now() < until) {
    co_await exchange->wait(until);
    answer.body += exchange->take_bytes();
  }
  if (exchange->ended()) answer.status = exchange->status();
  exchange->leave();
  co_return answer;
}

// --- submitting

Task<> Clients::submit(const JobPlan& plan) {
  co_await process_.clock.sleep_until(plan.at);
  const std::string body = body_of(plan, process_.clock.wall());
  for (std::uint32_t copy = 1; copy < plan.copies; ++copy) tasks_.start(submit_once(plan, body));
  co_await submit_once(plan, body);
}

/// With a key until there is a promise; without one a client cannot know, and does not ask again.
Task<> Clients::submit_once(const JobPlan& plan, std::string body) {
  for (;;) {
    auto request = request_for(http::Method::post, "/v1/jobs");
    request.body = body;
    request.headers.emplace_back("content-type", "application/json");
    if (!plan.key.empty()) request.headers.emplace_back("idempotency-key", plan.key);
    if (plan.wait_s > 0)
      request.headers.emplace_back("prefer", "wait=" + std::to_string(plan.wait_s));
    const auto sent = process_.clock.now();
    const auto answer =
        co_await ask(std::move(request), submit_patience + std::chrono::seconds(plan.wait_s));
    world_.note("client", plan.tag + " is answered " + std::to_string(answer.status));
    if (answer.status == 202 || answer.status == 200) {
      promised(plan, answer);
      if (answer.status == 200) check_waited(answer);
      if (plan_.calm && plan.wait_s == 0 && process_.clock.now() - sent > 500ms)
        world_.broken("P5", plan.tag + " waited long for its 202");
      co_return;
    }
    const bool passes = answer.status == 0 || answer.status == 503 || answer.status == 429;
    if (!passes || plan_.calm)
      world_.broken("P1",
                    plan.tag + " is answered " + std::to_string(answer.status) + " " + answer.body);
    if (plan.key.empty()) co_return;
    co_await process_.clock.sleep_for(world_.chance.ms(300, 2500));
  }
}

void Clients::check_waited(const Answer& answer) {
  const auto state = job_state(member(answer.body, R"("status":")"));
  if (!state || !terminal(*state))
    world_.broken("P1", "a 200 for a job that has not ended: " + answer.body);
}

void Clients::promised(const JobPlan& plan, const Answer& answer) {
  const auto id = JobId::parse(member(answer.body, R"("id":")"));
  if (!id) return world_.broken("P1", "an answer without a job: " + answer.body);
  const auto same = [&plan](const Promise& one) { return one.plan == &plan; };
  const auto known = std::ranges::find_if(promises_, same);
  if (known != promises_.end()) {
    if (known->id != *id) world_.broken("P1", plan.tag + ": one key, two jobs");
    return;
  }
  Promise& promise = promises_.emplace_back();
  promise.plan = &plan;
  promise.id = *id;
  promise.accepted_at = world_.now();
  world_.note("client", plan.tag + " is job " + id->str().substr(30));
  if (plan.cancel_after) tasks_.start(cancel(promise));
  for (const ReaderPlan& reader : plan.readers) {
    ReaderView& view =
        views_.emplace_back(world_, *id, "reader" + std::to_string(views_.size()), reader.snapshot);
    promise.readers.push_back(&view);
    tasks_.start(read(promise, reader, view));
  }
}

// --- cancelling

Task<> Clients::cancel(Promise& promise) {
  co_await process_.clock.sleep_for(*promise.plan->cancel_after);
  promise.cancel_sent = process_.clock.now();
  for (;;) {
    const auto answer =
        co_await ask(request_for(http::Method::post, "/v1/jobs/" + promise.id.str() + "/cancel"),
                     cancel_patience);
    world_.note("client",
                "cancel of " + promise.plan->tag + " is answered " + std::to_string(answer.status));
    promise.cancel_status = answer.status;
    if (answer.status == 200) promise.cancelled_at = process_.clock.now();
    if (answer.status == 200 || plan_.calm) co_return;
    co_await process_.clock.sleep_for(world_.chance.ms(200, 2000));
  }
}

// --- reading

Task<> Clients::read(Promise& promise, ReaderPlan plan, ReaderView& view) {
  co_await process_.clock.sleep_for(plan.begins_after);
  world_.note(view.name(), "reads " + promise.plan->tag);
  std::uint32_t cuts = plan.cuts;
  while (!view.ended()) {
    const bool cut = cuts > 0;
    if (cut) --cuts;
    const bool found = co_await read_once(plan, view, cut);
    world_.note(view.name(), view.ended() ? "has the end, " + std::to_string(view.last())
                             : found      ? "is cut off after " + std::to_string(view.last())
                                          : "is given no stream");
    if (view.ended()) break;
    co_await process_.clock.sleep_for(found ? world_.chance.ms(1, 300)
                                            : world_.chance.ms(300, 1500));
  }
  if (world_.chance.percent(30)) co_await expect_no_content(view);
}

/// One connection, to its end. False: the edge did not give a stream.
Task<bool> Clients::read_once(const ReaderPlan& plan, ReaderView& view, bool cut) {
  auto request = request_for(http::Method::get, "/v1/jobs/" + view.id().str() + "/events");
  request.headers.emplace_back("accept", "text/event-stream");
  if (view.last() > 0) request.headers.emplace_back("last-event-id", std::to_string(view.last()));
  if (plan.snapshot) request.query = "snapshot=1";
  const auto exchange = open(std::move(request));
  const struct Leaves {
    Exchange& exchange;
    ~Leaves() { exchange.leave(); }
  } leaves{*exchange};
  if (cut) exchange->cut_after(world_.chance.between(1, 3000));
  if (plan.stalls > 0) exchange->stall_until(process_.clock.now() + world_.chance.ms(100, 4000));
  view.connect();
  Instant silent_until = process_.clock.now() + 40s;
  bool looked = false;
  for (;;) {
    const bool news = co_await exchange->wait(silent_until);
    if (exchange->answered() && !std::exchange(looked, true)) {
      if (exchange->status() == 204)
        world_.broken("P2", view.name() + " is told 204 before it had the end");
      if (exchange->status() == 404 && plan_.calm)
        world_.broken("P1", view.name() + ": the promised job is not found");
      if (exchange->status() != 200) {
        world_.note(view.name(), "is answered " + std::to_string(exchange->status()));
        co_return false;
      }
    }
    if (looked) view.take(exchange->take_bytes());
    if (exchange->ended() || exchange->cut()) co_return looked;
    if (news) {
      silent_until = process_.clock.now() + 40s;
      continue;
    }
    if (plan_.calm) world_.broken("P2", view.name() + " hears nothing, not even a heartbeat");
    co_return looked;  // a connection that died without a word
  }
}

Task<> Clients::expect_no_content(ReaderView& view) {
  auto request = request_for(http::Method::get, "/v1/jobs/" + view.id().str() + "/events");
  request.headers.emplace_back("accept", "text/event-stream");
  request.headers.emplace_back("last-event-id", std::to_string(view.last()));
  const auto answer = co_await ask(std::move(request), no_content_patience);
  // After a loss one edge may know the end from the log, and another from the Store alone.
  const bool may_differ = plan_.log_may_lose() || plan_.log_may_be_away();
  // An edge that has not heard of the end yet gives a stream without an event.
  const bool again = answer.body.find("event: ") != std::string::npos;
  if (again && !may_differ)
    world_.broken("P2", view.name() + " has the end and is told of it again");
}

}  // namespace millrace::sim
