#include "tests/simulation/judge.h"

#include <algorithm>

#include "shared/contract/envelope.h"
#include "shared/contract/topics.h"

namespace millrace::sim {
namespace {

std::string short_name(const JobId& id) {
  return id.str().substr(30);
}

std::string member(std::string_view json, std::string_view name) {
  const auto at = json.find(name);
  if (at == std::string_view::npos) return {};
  const auto begin = at + name.size();
  return std::string(json.substr(begin, json.find('"', begin) - begin));
}

}  // namespace

Judge::Judge(World& world, Servers& servers, const Clients& clients, const Nemesis& nemesis,
             const Plan& plan)
    : world_(world), servers_(servers), clients_(clients), nemesis_(nemesis), plan_(plan) {
  servers_.store.on_finish(
      [this](const JobId& id, const Outcome& outcome) { on_finish(id, outcome); });
  servers_.log.on_begin(
      [this](const BeginRequest& request, const Begun& begun) { on_begin(request, begun); });
  servers_.log.on_append([this](const JobId& id, const Token& token,
                                const std::optional<Token>& holder,
                                std::string_view lines) { on_append(id, token, holder, lines); });
  servers_.broker.on_produce([this](const memory::PartitionName& name, std::int64_t,
                                    const memory::Record& record) { on_produce(name, record); });
}

// --- while it runs

void Judge::on_finish(const JobId& id, const Outcome& outcome) {
  world_.note("store", short_name(id) + " ends as " + std::string(to_string(outcome.state)));
  if (!ended_at_.emplace(id, world_.now()).second)
    world_.broken("P1", short_name(id) + " has ended twice in the Store");
}

void Judge::on_begin(const BeginRequest& request, const Begun& begun) {
  static constexpr const char* said[] = {" begins", " finds it held", " finds it ended"};
  world_.note("log", short_name(request.job.id) + ": " + std::string(request.worker) +
                         said[static_cast<std::size_t>(begun.outcome)] + " after " +
                         std::to_string(begun.last) + (begun.gap_from ? ", a gap" : ""));
}

void Judge::on_append(const JobId& id, const Token& token, const std::optional<Token>& holder,
                      std::string_view lines) {
  EventLine first;
  EventLine event;
  for (auto rest = lines; next_event(rest, event);) {
    if (first.seq == 0) first = event;
    if (!terminal_event(event.type)) continue;
    const auto* row = servers_.store.row(id);
    const bool decided = row && row->outcome;
    if (!decided || terminal_event_type(row->state) != event.type)
      world_.broken("P1", short_name(id) + ": readers are told `" + std::string(event.type) +
                              "`, which the Store has not decided");
  }
  if (!told_of(id, first, event.seq))
    world_.broken("P2", short_name(id) + ": numbers jump to " + std::to_string(first.seq) +
                            " and nobody is told of a gap");
  world_.note("log", short_name(id) + " + " + std::to_string(first.seq) + ".." +
                         std::to_string(event.seq) + " " + std::string(event.type));
  if (holder != token)
    world_.broken("P3", short_name(id) + ": somebody without the lease has written");
}

/// A log may leave numbers out only behind a `gap`.
bool Judge::told_of(const JobId& id, const EventLine& first, Seq last) {
  if (first.seq == 0) return true;  // without events
  const auto [standing, fresh] = numbered_.try_emplace(id, Seq{1});
  const Seq before = std::exchange(standing->second, last);
  return first.seq <= before + 1 || first.type == "gap";
}

void Judge::on_produce(const memory::PartitionName& name, const memory::Record& record) {
  if (name.first == topics::results) {
    const auto id = JobId::parse(record.key);
    const auto state = job_state(member(record.value, R"("status":")"));
    if (id && state) results_.emplace(*id, *state);
    return;
  }
  const auto read = decode_envelope(record.value);
  const auto* job = std::get_if<Job>(&read);
  if (!job) return;
  world_.note("broker", short_name(job->id) + " in " + name.first);
  if (name.first == topics::dead) ++dead_letters_[job->id];
  if (!name.first.starts_with("jobs.session")) return;
  auto& order = session_order_[job->key()];
  if (std::ranges::find(order, job->id) == order.end()) order.push_back(job->id);
}

bool Judge::all_done() const {
  for (const Promise& promise : clients_.promises()) {
    const auto* row = servers_.store.row(promise.id);
    if (!row || !terminal(row->state)) return false;
  }
  return clients_.idle() && servers_.broker.uncommitted() == 0;
}

// --- when it is over

void Judge::sum_up() {
  all_ended_once();
  answers_are_right();
  readers_saw_the_truth();
  sessions_kept_their_order();
  nothing_ran_twice();
  ends_were_published();
  cancels_were_quick();
  if (plan_.calm) calm_was_quick();
}

void Judge::all_ended_once() {
  for (const Promise& promise : clients_.promises()) {
    const auto* row = servers_.store.row(promise.id);
    if (!row || !row->outcome)
      world_.broken("P1", promise.plan->tag + " (" + short_name(promise.id) +
                              ") was promised and has not ended");
  }
  for (const ReaderView& view : clients_.views())
    if (!view.ended())
      world_.broken("P6", view.name() + " of " + short_name(view.id()) + " never got the end");
  if (!clients_.idle()) world_.broken("P1", "a client still waits for its answer");
  const auto left = servers_.broker.uncommitted();
  if (left != 0)
    world_.broken("P1", std::to_string(left) + " records in the queue are not finished");
}

void Judge::answers_are_right() {
  for (const auto* row : servers_.store.rows()) {
    if (!row->outcome) continue;
    const std::string whole = whole_answer(wish_of(row->envelope));
    const bool right = row->state == JobState::succeeded ? row->outcome->text == whole
                                                         : whole.starts_with(row->outcome->text);
    if (!right)
      world_.broken("P3", short_name(row->id) + " is stored as " +
                              std::string(to_string(row->state)) + " with the text \"" +
                              row->outcome->text + "\"");
  }
}

void Judge::readers_saw_the_truth() {
  for (const ReaderView& view : clients_.views()) {
    const auto* row = servers_.store.row(view.id());
    if (!view.ended() || !row || !row->outcome) continue;
    const std::string who = view.name() + " of " + short_name(view.id());
    if (view.end_type() != terminal_event_type(row->state))
      world_.broken("P1", who + " was told `" + std::string(view.end_type()) + "`, stored is " +
                              std::string(to_string(row->state)));
    if (row->state == JobState::succeeded &&
        member(view.end_json(), R"("text":")") != row->outcome->text)
      world_.broken("P3", who + " was told another result than the stored one");
    if (!view.has_hole() && view.text() != row->outcome->text)
      world_.broken(
          "P3", who + " holds \"" + view.text() + "\", stored is \"" + row->outcome->text + "\"");
    // Whose holder went between Store and log, or did not come back in time, ends by the Store.
    const bool by_the_store =
        view.last() == relay::last_seq_possible && (plan_.troubles.crashes || plan_.troubles.stops);
    const bool explained =
        plan_.log_may_lose() || plan_.log_may_be_away() || plan_.log_may_shorten() || by_the_store;
    if (view.saw_gap() && !explained)
      world_.broken("P2", who + " was told of a gap, and nothing was lost");
  }
}

void Judge::sessions_kept_their_order() {
  for (const Turn& turn : servers_.turns) {
    if (turn.session.empty()) continue;
    for (const JobId& earlier : session_order_["default/" + turn.session]) {
      if (earlier == turn.job) break;
      const auto ended = ended_at_.find(earlier);
      if (ended == ended_at_.end() || ended->second > turn.began)
        world_.broken("P5", short_name(turn.job) + " ran before " + short_name(earlier) +
                                " of its session had ended");
    }
  }
}

void Judge::nothing_ran_twice() {
  // A lost log, or a lease that ended before its holder could know, may cost the step in flight, of
  // a process that was stopped as well.
  const bool may_overlap = plan_.log_may_lose() || nemesis_.log_clock_jumped();
  const Duration stopped = plan_.troubles.stops ? longest_stop : Duration::zero();
  const Duration overlap = may_overlap ? limits::lease_for + 5s + stopped : Duration::zero();
  for (const Turn& turn : servers_.turns) {
    const auto ended = ended_at_.find(turn.job);
    if (ended != ended_at_.end() && turn.began > ended->second + overlap)
      world_.broken("P4", short_name(turn.job) + " was asked of the model after its end");
  }
  if (!plan_.calm) return;
  std::map<JobId, std::uint32_t> turns;
  for (const Turn& turn : servers_.turns)
    if (++turns[turn.job] > 1)
      world_.broken("P4", short_name(turn.job) + " was paid twice though nothing went wrong");
}

void Judge::ends_were_published() {
  for (const Promise& promise : clients_.promises()) {
    const auto* row = servers_.store.row(promise.id);
    if (!row || !row->outcome) continue;
    const auto result = results_.find(promise.id);
    if (result == results_.end() || result->second != row->state)
      world_.broken("P1", short_name(promise.id) + " has no result for those downstream");
    if (row->state == JobState::failed && dead_letters_[promise.id] == 0)
      world_.broken("P1", short_name(promise.id) + " has failed without a dead letter");
  }
}

void Judge::cancels_were_quick() {
  for (const Promise& promise : clients_.promises()) {
    if (!promise.cancel_sent) continue;
    const auto ended = ended_at_.find(promise.id);
    const bool done = ended != ended_at_.end();
    if (promise.cancelled_at && (!done || ended->second > *promise.cancelled_at))
      world_.broken("P7",
                    short_name(promise.id) + ": cancel was answered before the job had ended");
    if (!plan_.calm) continue;
    if (promise.cancel_status != 200)
      world_.broken("P7", short_name(promise.id) + ": cancel was answered " +
                              std::to_string(promise.cancel_status));
    const Instant limit = *promise.cancel_sent + 1s;
    if (!promise.cancelled_at || *promise.cancelled_at > limit)
      world_.broken("P7", short_name(promise.id) + ": cancel took longer than a second");
    for (const Turn& turn : servers_.turns)
      if (turn.job == promise.id && turn.ended.value_or(world_.now()) > limit &&
          turn.began <= *promise.cancel_sent)
        world_.broken("P7", short_name(promise.id) + ": the model goes on speaking");
  }
}

/// Nothing waits for what it need not wait for.
void Judge::calm_was_quick() {
  constexpr Duration handling = 1s;
  for (const Promise& promise : clients_.promises()) {
    const auto ended = ended_at_.find(promise.id);
    const JobPlan& plan = *promise.plan;
    if (ended == ended_at_.end() || !plan.session.empty() || plan.not_before_ms > 0) continue;
    const Duration work = (plan.words + 1) * std::chrono::milliseconds(plan.gap_ms);
    // Keys are dealt out to workers: all of them may fall to one.
    const bool busy = plan_.jobs.size() > plan_.jobs_in_flight;
    if (!busy && ended->second > promise.accepted_at + work + handling)
      world_.broken("P5", plan.tag + " took longer than its work");
  }
}

}  // namespace millrace::sim
