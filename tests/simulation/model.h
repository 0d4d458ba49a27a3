#pragma once
#include "tests/simulation/servers.h"

namespace millrace::sim {

/// What a job asks for, in its own input: `n=<words> gap=<ms> tag=<text>`.
struct Wish {
  std::size_t words = 0;
  Duration gap{};
  std::string tag;
};
Wish wish_of(std::string_view input);
/// The answer to a wish: the same words whoever says them and however often.
std::string word(const Wish& wish, std::size_t number);
std::string whole_answer(const Wish& wish);

/// The model as one worker reaches it. Says the same words to everybody who asks the same, and
/// goes on from a prefix; fails as the servers' mood has it. It speaks on by its own time: to a
/// process that was stopped all words come at once. Its connections die with the process.
class SimModel final : public ChatModel {
 public:
  SimModel(World& world, Process& process, Servers& servers)
      : world_(world), process_(process), servers_(servers) {}

  Task<std::expected<ChatEnd, ChatFailure>> stream(const ChatTurn& turn, TextSink& sink) override;

 private:
  Task<std::expected<ChatEnd, ChatFailure>> speak(Wish wish, std::size_t from, std::size_t turn,
                                                  std::optional<std::size_t> cut_at,
                                                  TextSink& sink);
  /// Waits for what comes at this time of the world.
  Task<> arrives(Instant when);

  World& world_;
  Process& process_;
  Servers& servers_;
};

}  // namespace millrace::sim
