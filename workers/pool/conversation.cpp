#include "workers/pool/conversation.h"

#include <algorithm>
#include <ranges>
#include <set>

#include "shared/runtime/json_text.h"
#include "shared/runtime/limits.h"

namespace millrace {
namespace {

/// A question, and an answer that another run may have left.
constexpr std::uint32_t own_messages_max = 2;

void append_turn(std::string& out, std::string_view role, std::string_view content) {
  out += R"({"role":)";
  append_json_string(out, role);
  out += R"(,"content":)";
  append_json_string(out, content);
  out += "},";
}

using Said = std::vector<Message>::const_iterator;

/// The first of the newest that may go to the model as they were said.
Said newest_that_fit(const std::vector<Message>& said, std::uint32_t messages_max) {
  Said first = said.end();
  std::size_t bytes = 0;
  while (first != said.begin() && std::cmp_less(said.end() - first, messages_max)) {
    bytes += std::prev(first)->content.size();
    if (bytes > limits::context_bytes_max) break;
    --first;
  }
  return first;
}

/// Templates of many models want a user's message first.
Said users_first(Said first, const std::vector<Message>& said) {
  return std::find_if(first, said.end(),
                      [](const Message& message) { return message.role == "user"; });
}

/// Behind all that the summary stands for.
Said behind(const Summary& summary, const std::vector<Message>& said) {
  const auto last = std::ranges::find(said, summary.upto, &Message::id);
  return last == said.end() ? said.begin() : std::next(last);
}

/// Takes what has grown too old for the window and is not in the summary yet, once it is worth a
/// call of the model: half a window at a time. Until then it goes to the model as it was said.
/// Returns what comes first of the rest.
Said take_older(Past& past, Said untold, Said window, std::uint32_t messages_max) {
  if (untold >= window) return window;
  const std::uint32_t slack = messages_max / 2;
  if (newest_that_fit(past.said, messages_max + slack) <= untold) return untold;
  constexpr std::ptrdiff_t older_max{summarised_messages_max};
  past.older.assign(window - std::min(window - untold, older_max), window);
  return window;
}

/// Of the newest, how many more are read than may go to the model: some may not.
constexpr std::uint32_t reads_per_message = 2;

/// What a model may be told: questions with their answers. A turn that failed or expired is none,
/// and whoever asks again would ask twice; one that was interrupted stands with what was said.
void keep_answered(std::vector<Message>& said) {
  std::set<JobId> answered;
  for (const auto& message : said) {
    const bool stands = message.status == "complete" || message.status == "interrupted";
    if (message.role == "assistant" && stands && !message.content.empty())
      answered.insert(message.job);
  }
  std::erase_if(said, [&answered](const Message& message) {
    return !answered.contains(message.job) || message.content.empty();
  });
}

}  // namespace

Task<Result<Past>> read_past(Sessions& sessions, const Job& job) {
  const SessionContext context = *job.context;
  const std::uint32_t messages_max = context.messages - 1;
  std::uint32_t wanted = reads_per_message * messages_max + own_messages_max;
  if (context.summarise) wanted += summarised_messages_max;
  auto said = co_await sessions.messages(job.tenant, job.session, wanted, job.id);
  if (!said && said.error() == Errc::not_found) co_return Past();
  if (!said) co_return Failure(said.error());
  Past past;
  past.said = std::move(*said);
  std::erase_if(past.said, [&job](const Message& message) { return message.job == job.id; });
  keep_answered(past.said);
  Said first = users_first(newest_that_fit(past.said, messages_max), past.said);
  if (context.summarise) {
    auto summary = co_await sessions.summary(job.tenant, job.session);
    if (!summary && summary.error() != Errc::not_found) co_return Failure(summary.error());
    if (!summary) summary.emplace();
    first = take_older(past, behind(*summary, past.said), first, messages_max);
    past.summary = std::move(summary->text);
  }
  past.said.erase(past.said.begin(), first);
  co_return past;
}

Job in_conversation(Job job, const Past& past) {
  std::string input = "[";
  if (!past.summary.empty())
    append_turn(input, "system", "What was said before, in short:\n" + past.summary);
  for (const auto& message : past.said) append_turn(input, message.role, message.content);
  input.append(R"({"role":"user","content":)").append(job.input).append("}]");
  job.input = std::move(input);
  return job;
}

}  // namespace millrace
