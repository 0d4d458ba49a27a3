#include "shared/redis/shared_cache.h"

#include <array>
#include <charconv>

#include "shared/contract/keys.h"
#include "shared/redis/scripts.h"

namespace millrace {
namespace {

using redis::CommandBuffer;
using redis::Reply;

std::string digits(double number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

bool fits(const std::string& name, const std::string& value) {
  return name.size() <= cache_name_bytes_max && value.size() <= cache_value_bytes_max;
}

std::string in_ms(Duration ttl) {
  return std::to_string(std::chrono::ceil<std::chrono::milliseconds>(ttl).count());
}

/// Beside no connection: the server refuses for a reason of its own, such as no memory.
bool refused(const Result<Reply>& reply) {
  return reply && reply->view().error();
}

CommandBuffer take_command(const std::string& bucket, TokenRate rate, std::uint32_t wanted,
                           bool by_digest) {
  constexpr auto script = redis::Script::take;
  CommandBuffer command;
  command.command({by_digest ? "EVALSHA" : "EVAL",
                   by_digest ? std::string_view(redis::digest(script)) : redis::source(script), "1",
                   keys::bucket(bucket), digits(rate.per_s), digits(rate.burst),
                   std::to_string(wanted)});
  return command;
}

}  // namespace

RedisSharedCache::RedisSharedCache(Clock& clock, const std::string& url, Duration command_timeout)
    : connection_(clock, redis::parse_address(url), command_timeout, {}) {}

Task<Result<Reply>> RedisSharedCache::ask(CommandBuffer command, Instant by) {
  auto replies = co_await connection_.call(command, by);
  if (!replies) co_return Failure(replies.error());
  co_return std::move(replies->front());
}

Task<Result<std::optional<std::string>>> RedisSharedCache::get(std::string name) {
  if (name.size() > cache_name_bytes_max) co_return Failure(Errc::invalid);
  CommandBuffer command;
  command.command({"GET", keys::cached(name)});
  const auto reply = co_await ask(std::move(command), connection_.deadline());
  if (!reply) co_return Failure(reply.error());
  if (refused(reply)) co_return Failure(Errc::unavailable);
  if (reply->view().nil()) co_return std::optional<std::string>();
  co_return std::optional(std::string(reply->view().text()));
}

Task<Result<>> RedisSharedCache::set(std::string name, std::string value, Duration ttl) {
  if (!fits(name, value)) co_return Failure(Errc::invalid);
  CommandBuffer command;
  command.command({"SET", keys::cached(name), value, "PX", in_ms(ttl)});
  const auto reply = co_await ask(std::move(command), connection_.deadline());
  if (!reply) co_return Failure(reply.error());
  if (refused(reply)) co_return Failure(Errc::unavailable);
  co_return Result<>{};
}

Task<Result<bool>> RedisSharedCache::add(std::string name, std::string value, Duration ttl) {
  if (!fits(name, value)) co_return Failure(Errc::invalid);
  CommandBuffer command;
  command.command({"SET", keys::cached(name), value, "NX", "PX", in_ms(ttl)});
  const auto reply = co_await ask(std::move(command), connection_.deadline());
  if (!reply) co_return Failure(reply.error());
  if (refused(reply)) co_return Failure(Errc::unavailable);
  co_return !reply->view().nil();
}

Task<Result<>> RedisSharedCache::remove(std::string name) {
  CommandBuffer command;
  command.command({"UNLINK", keys::cached(name)});
  const auto reply = co_await ask(std::move(command), connection_.deadline());
  if (!reply) co_return Failure(reply.error());
  if (refused(reply)) co_return Failure(Errc::unavailable);
  co_return Result<>{};
}

/// By its digest first; a server that does not know the script is sent its text, and knows it then.
Task<Result<TokensTaken>> RedisSharedCache::take(std::string bucket, TokenRate rate,
                                                 std::uint32_t wanted) {
  if (bucket.size() > cache_name_bytes_max) co_return Failure(Errc::invalid);
  const Instant by = connection_.deadline();
  auto reply = co_await ask(take_command(bucket, rate, wanted, true), by);
  if (reply && reply->view().text().starts_with("NOSCRIPT"))
    reply = co_await ask(take_command(bucket, rate, wanted, false), by);
  if (!reply) co_return Failure(reply.error());
  if (refused(reply)) co_return Failure(Errc::unavailable);
  const auto said = reply->view();
  TokensTaken out;
  out.taken = static_cast<std::uint32_t>(said[0].number());
  out.left = static_cast<double>(said[1].number()) / 1000;
  out.next_in = std::chrono::milliseconds(said[2].number());
  co_return out;
}

}  // namespace millrace
