#include "tests/simulation/model.h"

#include <charconv>

#include "shared/runtime/limits.h"
#include "shared/runtime/signal.h"

namespace millrace::sim {
namespace {

using Answer = std::expected<ChatEnd, ChatFailure>;

std::size_t number_after(std::string_view text, std::string_view name) {
  const auto at = text.find(name);
  std::size_t number = 0;
  if (at != std::string_view::npos)
    std::from_chars(text.data() + at + name.size(), text.data() + text.size(), number);
  return number;
}

Answer failed(std::string code, bool retryable, std::optional<Duration> after = {}) {
  return std::unexpected(ChatFailure{.code = code,
                                     .message = "the model said " + code,
                                     .retryable = retryable,
                                     .retry_after = after});
}

/// A word on its way.
struct Piece {
  explicit Piece(Clock& clock) : news(clock) {}
  Signal news;
  bool here = false;
};

}  // namespace

Wish wish_of(std::string_view input) {
  Wish wish;
  wish.words = number_after(input, "n=");
  wish.gap = std::chrono::milliseconds(number_after(input, "gap="));
  const auto tag = input.find("tag=");
  if (tag != std::string_view::npos)
    wish.tag = input.substr(tag + 4, input.find_first_of(" \"", tag) - tag - 4);
  return wish;
}

std::string word(const Wish& wish, std::size_t number) {
  return wish.tag + "-" + std::to_string(number) + " ";
}

std::string whole_answer(const Wish& wish) {
  std::string text;
  for (std::size_t i = 0; i < wish.words; ++i) text += word(wish, i);
  return text;
}

Task<Answer> SimModel::stream(const ChatTurn& turn, TextSink& sink) {
  const Wish wish = wish_of(turn.job.input);
  const std::string whole = whole_answer(wish);
  if (!whole.starts_with(turn.prefix))
    world_.broken("P4", "the model was given a prefix that it had not said: \"" +
                            std::string(turn.prefix) + "\"");
  std::size_t from = 0;
  for (std::size_t bytes = 0; bytes < turn.prefix.size(); ++from) bytes += word(wish, from).size();
  const std::size_t number = servers_.turns.size();
  servers_.turns.push_back({.job = turn.job.id,
                            .session = turn.job.session,
                            .asker = &process_,
                            .began = world_.now(),
                            .ended = {},
                            .prefix_bytes = turn.prefix.size()});
  world_.note(process_.name,
              "asks the model for " + wish.tag + " from word " + std::to_string(from));
  const struct Closed {
    World& world;
    Servers& servers;
    std::size_t number;
    ~Closed() { servers.turns[number].ended = world.now(); }
  } closed{world_, servers_, number};

  co_await process_.clock.sleep_for(world_.chance.ms(2, 30));
  const ModelMood& mood = servers_.mood;
  if (world_.chance.in_10000(mood.busy))
    co_return failed("rate_limited", true, world_.chance.ms(200, 3000));
  if (world_.chance.in_10000(mood.broken)) co_return failed("upstream_error", true);
  if (world_.chance.in_10000(mood.refuses)) co_return failed("bad_request", false);
  if (world_.chance.in_10000(mood.stalls)) {
    co_await process_.clock.sleep_for(limits::model_idle_timeout);
    co_return failed("upstream_silent", true);
  }
  std::optional<std::size_t> cut_at;
  if (world_.chance.in_10000(mood.cut)) cut_at = world_.chance.between(from, wish.words);
  co_return co_await speak(wish, from, number, cut_at, sink);
}

Task<Answer> SimModel::speak(Wish wish, std::size_t from, std::size_t turn,
                             std::optional<std::size_t> cut_at, TextSink& sink) {
  Instant at = world_.now();
  for (std::size_t i = from; i < wish.words; ++i) {
    if (cut_at == i) co_return failed("upstream_cut", true);
    co_await arrives(at += wish.gap);
    ++servers_.turns[turn].pieces;
    const bool room = sink.on_text(word(wish, i));
    if (!room) co_await sink.ready();
  }
  if (cut_at == wish.words) co_return failed("upstream_cut", true);
  co_return ChatEnd{.finish_reason = "stop",
                    .model = "sim",
                    .usage = R"({"total_tokens":)" + std::to_string(wish.words) + "}"};
}

Task<> SimModel::arrives(Instant when) {
  const auto piece = std::make_shared<Piece>(process_.clock);
  world_.at(when, [weak = std::weak_ptr(piece)] {
    const auto there = weak.lock();
    if (!there) return;
    there->here = true;
    there->news.notify();
  });
  while (!piece->here) co_await piece->news.wait();
}

}  // namespace millrace::sim
