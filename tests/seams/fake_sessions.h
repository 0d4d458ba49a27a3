#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "shared/runtime/clock.h"
#include "shared/sessions.h"

namespace millrace {

/// Conversations in memory: what was put into `said` is what there is, by session, oldest first.
class FakeSessions final : public Sessions {
 public:
  explicit FakeSessions(Clock& clock) : clock_(clock) {}

  std::map<std::string, std::vector<Message>> said;
  std::optional<Errc> fails;  ///< every call
  std::map<std::string, Summary> summaries;
  std::optional<Errc> keep_fails;  ///< of a summary
  std::size_t reads = 0;

  Task<Result<Session>> create(std::string_view tenant, std::string_view id,
                               std::string_view metadata) override {
    Session made{.id = std::string(id),
                 .tenant = std::string(tenant),
                 .created_at = clock_.wall(),
                 .last_accessed = clock_.wall(),
                 .metadata = std::string(metadata)};
    if (fails) co_return Failure(*fails);
    if (said.contains(made.id)) co_return Failure(Errc::conflict);
    said[made.id] = {};
    co_return made;
  }
  Task<Result<Session>> access(std::string_view, std::string_view id) override {
    Session found;
    found.id = id;
    if (fails) co_return Failure(*fails);
    if (!said.contains(found.id)) co_return Failure(Errc::not_found);
    co_return found;
  }
  Task<Result<>> remove(std::string_view, std::string_view id) override {
    const std::string name(id);
    if (fails) co_return Failure(*fails);
    if (said.erase(name) == 0) co_return Failure(Errc::not_found);
    co_return Result<>();
  }
  Task<Result<Message>> ask(const Job& job, std::string_view content) override {
    Message question{.id = "asked " + job.id.str(),
                     .role = "user",
                     .content = std::string(content),
                     .created_at = clock_.wall(),
                     .job = job.id};
    if (fails) co_return Failure(*fails);
    const auto found = said.find(job.session);
    if (found == said.end()) co_return Failure(Errc::not_found);
    if (std::ranges::find(found->second, job.id, &Message::job) == found->second.end())
      found->second.push_back(question);
    co_return question;
  }
  Task<Result<>> withdraw(const Job& job) override {
    if (fails) co_return Failure(*fails);
    for (auto& [session, messages] : said)
      std::erase_if(messages, [&job](const Message& message) { return message.job == job.id; });
    co_return Result<>();
  }
  Task<Result<std::vector<Message>>> messages(std::string_view, std::string_view id,
                                              std::uint32_t limit,
                                              std::optional<JobId> until) override {
    const std::string name(id);
    ++reads;
    if (fails) co_return Failure(*fails);
    const auto found = said.find(name);
    if (found == said.end()) co_return Failure(Errc::not_found);
    auto all = found->second;
    if (until) {
      const auto own = std::ranges::find(all, *until, &Message::job);
      const auto after = std::find_if(
          own, all.end(), [&until](const Message& message) { return message.job != *until; });
      all.erase(after, all.end());
    }
    if (all.size() > limit) all.erase(all.begin(), all.end() - limit);
    co_return all;
  }

  Task<Result<Summary>> summary(std::string_view, std::string_view id) override {
    const std::string name(id);
    if (fails) co_return Failure(*fails);
    co_return summaries[name];
  }
  Task<Result<>> keep_summary(std::string_view, std::string_view id,
                              const Summary& summary) override {
    const std::string name(id);
    const Summary kept = summary;
    if (fails || keep_fails) co_return Failure(fails ? *fails : *keep_fails);
    summaries[name] = kept;
    co_return Result<>();
  }

 private:
  Clock& clock_;
};

}  // namespace millrace
