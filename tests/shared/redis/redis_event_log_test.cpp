#include <hiredis/hiredis.h>

#include <cstdlib>

#include "shared/contract/keys.h"
#include "shared/redis/address.h"
#include "shared/redis/event_log.h"
#include "tests/seams/event_log_edges_suite.h"
#include "tests/seams/event_log_readers_suite.h"
#include "tests/seams/event_log_suite.h"

namespace millrace {
namespace {

class RedisWorld final : public LogWorld {
 public:
  std::string missing() const override {
    if (!url_.empty()) return {};
    return "MILLRACE_TEST_REDIS is not set: start `redis-server --port PORT` and set it to "
           "redis://127.0.0.1:PORT, or run ./ops/test, which does";
  }
  std::unique_ptr<EventLog> port(Clock& clock, Nursery& tasks) override {
    auto log = std::make_unique<RedisEventLog>(
        clock, RedisEventLog::Options{.url = url_, .lease_for = lease_for});
    tasks.start(log->run());
    return log;
  }
  void lose(const JobId& id) override {
    tell("DEL %s %s", keys::job(id).c_str(), keys::events(id).c_str());
  }
  void lose_last_event(const JobId& id) override {
    const auto last = ask("HGET %s seq", keys::job(id).c_str());
    tell("XDEL %s %s-0", keys::events(id).c_str(), last.c_str());
    tell("HINCRBY %s seq -1", keys::job(id).c_str());
  }
  void list_in_session(const Job& job) override {
    tell("ZADD %s 1 %s", keys::session_live(job.tenant, job.session).c_str(), job.id.str().c_str());
  }

 private:
  struct Free {
    void operator()(redisContext* context) const noexcept { redisFree(context); }
    void operator()(void* reply) const noexcept { freeReplyObject(reply); }
  };
  /// Past our own client: what happens to a log happens from outside.
  template <class... Parts>
  std::string ask(const char* format, Parts... parts) {
    const auto at = redis::parse_address(url_);
    const std::unique_ptr<redisContext, Free> context(redisConnect(at.host.c_str(), at.port));
    const std::unique_ptr<void, Free> reply(redisCommand(context.get(), format, parts...));
    EXPECT_TRUE(reply) << "Redis did not answer " << format;
    const auto* answer = static_cast<redisReply*>(reply.get());
    return answer && answer->str ? std::string(answer->str, answer->len) : std::string();
  }
  template <class... Parts>
  void tell(const char* format, Parts... parts) {
    (void)ask(format, parts...);
  }

  const std::string url_ = [] {
    const char* const set = std::getenv("MILLRACE_TEST_REDIS");
    return std::string(set ? set : "");
  }();
};

std::unique_ptr<LogWorld> make_redis_world() {
  return std::make_unique<RedisWorld>();
}

INSTANTIATE_TEST_SUITE_P(Redis, EventLogSuite, testing::Values(make_redis_world));

}  // namespace
}  // namespace millrace
