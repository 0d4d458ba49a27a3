#include "workers/pool/conversation.h"

#include <algorithm>
#include <ranges>

#include "shared/runtime/json_text.h"
#include "shared/runtime/limits.h"

namespace millrace {
namespace {

/// A question, and an answer that another run may have left.
constexpr std::uint32_t own_messages_max = 2;

void append_turn(std::string& out, const Message& message) {
  out += R"({"role":)";
  append_json_string(out, message.role);
  out += R"(,"content":)";
  append_json_string(out, message.content);
  out += "},";
}

/// What of it goes to the model: the newest that fit.
std::vector<Message> within_limits(std::vector<Message> said, const Job& job) {
  std::erase_if(said, [&job](const Message& message) {
    return message.job == job.id || message.content.empty();
  });
  std::size_t count = 0;
  std::size_t bytes = 0;
  for (const auto& message : said | std::views::reverse) {
    bytes += message.content.size();
    if (count + 1 >= job.context->messages || bytes > limits::context_bytes_max) break;
    ++count;
  }
  // Templates of many models want a user's message first.
  const auto first = std::find_if(said.end() - static_cast<std::ptrdiff_t>(count), said.end(),
                                  [](const Message& message) { return message.role == "user"; });
  said.erase(said.begin(), first);
  return said;
}

}  // namespace

Task<Result<Job>> in_conversation(Sessions& sessions, Job job) {
  const std::uint32_t wanted = job.context->messages - 1 + own_messages_max;
  auto said = co_await sessions.messages(job.tenant, job.session, wanted, job.id);
  if (!said && said.error() == Errc::not_found) said = std::vector<Message>();
  if (!said) co_return Failure(said.error());
  std::string input = "[";
  for (const auto& message : within_limits(std::move(*said), job)) append_turn(input, message);
  input.append(R"({"role":"user","content":)").append(job.input).append("}]");
  job.input = std::move(input);
  co_return job;
}

}  // namespace millrace
