#include "producer/relay/many_jobs_stream.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "producer/relay/merge.h"

namespace millrace::relay {
namespace {

Task<> stream_jobs(Hub& hub, std::shared_ptr<Seats> seats, http::StreamWriter& writer) {
  Outlet out(writer, hub.clock(), hub.metrics());
  Merge merge(hub, out);
  for (auto& seat : std::exchange(*seats, {})) merge.join(std::move(seat));
  while (!out.gone()) {
    const auto drawn = co_await merge.draw();
    if (drawn == Merge::Drawn::over || merge.size() == 0) co_return;
    if (drawn == Merge::Drawn::sent) continue;
    if (out.draining()) co_return;
    const bool there = co_await out.rest(merge.page_again_at());
    if (!there) co_return;
  }
}

constexpr std::size_t ended_kept = limits::jobs_per_stream_max;

/// Which jobs a session stream has to take in.
class SessionNews final : public SessionWatcher {
 public:
  SessionNews(EventLog& log, std::string tenant, std::string session, Signal& wake)
      : log_(log), tenant_(std::move(tenant)), session_(std::move(session)), wake_(wake) {
    log_.watch_session(tenant_, session_, *this);
  }
  SessionNews(const SessionNews&) = delete;
  SessionNews& operator=(const SessionNews&) = delete;
  ~SessionNews() override { log_.unwatch_session(tenant_, session_, *this); }

  void on_job(const JobId& id) noexcept override {
    if (joined_.size() < limits::session_jobs_max) joined_.push_back(id);
    wake_.notify();
  }
  void on_uncertain() noexcept override {
    list_ = true;
    wake_.notify();
  }

  const std::string& tenant() const { return tenant_; }
  const std::string& session() const { return session_; }
  std::vector<JobId> take_joined() { return std::exchange(joined_, {}); }
  bool take_list() { return std::exchange(list_, false); }
  void list_again() { list_ = true; }

 private:
  EventLog& log_;
  std::string tenant_;
  std::string session_;
  Signal& wake_;
  std::vector<JobId> joined_;
  bool list_ = true;
};

/// One session stream: who is in, who waits for room, who has ended.
struct SessionStream {
  Hub& hub;
  Outlet& out;
  Merge merge;
  SessionNews news;
  Cursor resume;
  std::deque<JobId> ended{};  ///< a list made a moment ago may still name them
  bool no_room = false;       ///< some live job is not in
  Instant list_again_at = Instant::max();

  void join(const JobId& id, Seq after);
  void settle_left();
  Task<bool> take_resumed();
  Task<> take_in();
};

void SessionStream::join(const JobId& id, Seq after) {
  if (merge.has(id) || std::ranges::find(ended, id) != ended.end()) return;
  if (merge.size() >= limits::jobs_per_stream_max) {
    no_room = true;
    return;
  }
  merge.join(hub.sit(id, after));
}

void SessionStream::settle_left() {
  for (const auto& id : merge.take_left()) {
    ended.push_back(id);
    if (ended.size() > ended_kept) ended.pop_front();
    if (std::exchange(no_room, false)) news.on_uncertain();
  }
}

/// Takes in what the reader's cursor names, where it is of this session. False: ask again later.
Task<bool> SessionStream::take_resumed() {
  if (resume.empty()) co_return true;
  std::vector<JobId> ids;
  for (const auto& [id, seq] : resume) ids.push_back(id);
  const auto states = co_await hub.log().states(ids);
  if (!states || states->size() != ids.size()) co_return false;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto& state = (*states)[i];
    bool ours = state && state->tenant == news.tenant() && state->session == news.session();
    if (!state) {
      const auto stored = co_await hub.find()(ids[i]);
      ours = stored && stored->tenant == news.tenant() && stored->session == news.session();
    }
    if (ours) join(ids[i], resume[i].second);
  }
  resume.clear();
  co_return true;
}

Task<> SessionStream::take_in() {
  list_again_at = Instant::max();
  const bool resumed = co_await take_resumed();
  if (resumed && news.take_list()) {
    const auto live = co_await hub.log().session_jobs(news.tenant(), news.session());
    if (!live) news.list_again();
    if (!live) list_again_at = hub.clock().now() + hub_tick;
    if (live) {
      for (const auto& id : *live) join(id, 0);
    }
  }
  if (!resumed) {
    list_again_at = hub.clock().now() + hub_tick;
    co_return;
  }
  for (const auto& id : news.take_joined()) join(id, 0);
}

Task<> stream_session(Hub& hub, std::string tenant, std::string session, Cursor resume,
                      http::StreamWriter& writer) {
  Outlet out(writer, hub.clock(), hub.metrics());
  SessionStream stream{
      .hub = hub,
      .out = out,
      .merge = Merge(hub, out),
      .news = SessionNews(hub.log(), std::move(tenant), std::move(session), out.wake()),
      .resume = std::move(resume)};
  while (!out.gone()) {
    if (hub.clock().now() >= stream.list_again_at || stream.list_again_at == Instant::max()) {
      co_await stream.take_in();
    }
    const auto drawn = co_await stream.merge.draw();
    stream.settle_left();
    if (drawn == Merge::Drawn::over) co_return;
    if (drawn == Merge::Drawn::sent) continue;
    if (out.draining()) co_return;
    const bool there =
        co_await out.rest(std::min(stream.merge.page_again_at(), stream.list_again_at));
    if (!there) co_return;
  }
}

}  // namespace

http::StreamBody jobs_stream(Hub& hub, std::shared_ptr<Seats> seats) {
  return [&hub, seats = std::move(seats)](http::StreamWriter& writer) {
    return stream_jobs(hub, seats, writer);
  };
}

http::StreamBody session_stream(Hub& hub, std::string tenant, std::string session, Cursor resume) {
  return [&hub, tenant = std::move(tenant), session = std::move(session),
          resume = std::move(resume)](http::StreamWriter& writer) {
    return stream_session(hub, tenant, session, resume, writer);
  };
}

}  // namespace millrace::relay
