#include "shared/redis/inspection.h"

#include <hiredis/hiredis.h>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "shared/contract/keys.h"

namespace millrace::redis {
namespace {

constexpr timeval wait_max{.tv_sec = 5, .tv_usec = 0};

/// A blocking connection: this is for a command that asks once, not for a loop.
class Asking {
 public:
  explicit Asking(const Address& address)
      : context_(redisConnectWithTimeout(address.host.c_str(), address.port, wait_max)) {
    if (context_ && !context_->err) redisSetTimeout(context_.get(), wait_max);
  }

  /// The text of the reply, empty for nil; nothing when it failed.
  std::optional<std::string> ask(std::initializer_list<std::string_view> words) {
    if (!context_ || context_->err) return std::nullopt;
    std::vector<const char*> at;
    std::vector<std::size_t> sizes;
    for (const auto word : words) {
      at.push_back(word.data());
      sizes.push_back(word.size());
    }
    const std::unique_ptr<redisReply, Free> reply(static_cast<redisReply*>(
        redisCommandArgv(context_.get(), static_cast<int>(at.size()), at.data(), sizes.data())));
    if (!reply) return std::nullopt;
    if (reply->type == REDIS_REPLY_ERROR) {
      refusal_.assign(reply->str, reply->len);
      return std::nullopt;
    }
    return reply->str ? std::string(reply->str, reply->len) : std::string();
  }

  std::string failure() const {
    if (!context_) return "no memory for a connection";
    return context_->err ? context_->errstr : refusal_;
  }

 private:
  struct Free {
    void operator()(redisContext* context) const noexcept { redisFree(context); }
    void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
  };
  std::unique_ptr<redisContext, Free> context_;
  std::string refusal_;
};

/// The value of `name:value` in an INFO.
std::string fact(std::string_view info, std::string_view name) {
  const std::string wanted = std::string("\n").append(name).append(":");
  const auto at = info.find(wanted);
  if (at == info.npos) return {};
  const auto value = info.substr(at + wanted.size());
  return std::string(value.substr(0, value.find_first_of("\r\n")));
}

bool greeted(Asking& redis, const Address& address) {
  const auto& [host, port, user, password, db] = address;
  if (!password.empty() &&
      !(user.empty() ? redis.ask({"AUTH", password}) : redis.ask({"AUTH", user, password})))
    return false;
  return db == 0 || redis.ask({"SELECT", std::to_string(db)});
}

}  // namespace

std::expected<Inspection, std::string> inspect(const Address& address) {
  Asking redis(address);
  std::optional<std::string> info;
  if (greeted(redis, address)) info = redis.ask({"INFO"});
  const auto claimed = info ? redis.ask({"GET", keys::store_id}) : std::nullopt;
  if (!claimed) return std::unexpected(redis.failure());
  return Inspection{.version = fact(*info, "redis_version"),
                    .role = fact(*info, "role"),
                    .append_only = fact(*info, "aof_enabled") == "1",
                    .last_write = fact(*info, "aof_last_write_status"),
                    .eviction = fact(*info, "maxmemory_policy"),
                    .store_id = *claimed};
}

}  // namespace millrace::redis
