#pragma once
#include <algorithm>
#include <vector>

#include "shared/dead_letters.h"

namespace millrace::ingress_test {

/// Dead letters in memory, by rising number, true to their header; all of one tenant.
class FakeLetters final : public DeadLetters {
 public:
  std::vector<DeadLetter> letters;
  std::optional<Errc> note_fails;

  Task<Result<std::vector<DeadLetter>>> list(std::string, std::int64_t before,
                                             std::size_t limit) override {
    std::vector<DeadLetter> page;
    for (auto letter = letters.rbegin(); letter != letters.rend() && page.size() < limit; ++letter)
      if (before == 0 || letter->number < before) page.push_back(*letter);
    co_return page;
  }
  Task<Result<std::vector<DeadLetter>>> unsent(std::string, std::int64_t after) override {
    std::vector<DeadLetter> page;
    for (const auto& letter : letters)
      if (letter.number > after && !letter.redriven_as && page.size() < page_max)
        page.push_back(letter);
    co_return page;
  }
  Task<Result<>> note_redriven(std::string, JobId job, JobId as) override {
    if (note_fails) co_return Failure(*note_fails);
    const auto letter = std::ranges::find(letters, job, &DeadLetter::job);
    if (letter != letters.end()) letter->redriven_as = as;
    co_return Result<>();
  }
};

}  // namespace millrace::ingress_test
