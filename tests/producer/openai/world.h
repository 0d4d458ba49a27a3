#pragma once
#include <memory>
#include <string>

#include "producer/relay/hub.h"
#include "tests/producer/ingress/world.h"

namespace millrace::openai {

inline const ingress_test::Headers json{{"content-type", "application/json"}};

/// An edge loop with a relay and the ports in memory, for the routes of one surface. Whoever adds
/// routes calls `stop` before they go.
struct World : ingress_test::World {
  relay::RelayMetrics relay_metrics;
  relay::Hub hub{clock, log, [this](JobId id) { return store.find_noted(id); }, relay_metrics};
  Nursery hub_task{clock};

  explicit World(std::string surface) : path(std::move(surface)) { hub_task.start(hub.run()); }
  void stop() {
    nursery.stop();
    hub.stop();
    clock.run_for(5s);
  }

  std::unique_ptr<Exchange> ask(const std::string& body, ingress_test::Headers headers = json) {
    auto exchange = begin(http::Method::post, path, body, std::move(headers));
    clock.run_for(50ms);
    return exchange;
  }
  JobId job(std::size_t n = 0) const { return queue.jobs.at(n).id; }
  JobState state() { return store.rows.at(job()).state; }
  /// A worker says this and is done.
  void answer(const std::string& text, std::size_t n = 0) {
    ingress_test::Holder holder(*this, job(n));
    const auto done = ingress_test::Holder::done(text);
    ASSERT_TRUE(holder.say(text));
    ASSERT_TRUE(holder.finish(done));
    ASSERT_TRUE(holder.end(done, text));
    clock.run_for(1s);
  }

  const std::string path;
};

}  // namespace millrace::openai
