#include "ops/cli/follow.h"

#include <algorithm>

namespace millrace::cli {
namespace {

constexpr Duration first_wait = 100ms;
constexpr Duration wait_max = 5s;

}  // namespace

Followed follow(Edge& edge, const std::string& path,
                const std::function<bool(const SseEvent&)>& take, Duration patience) {
  Followed followed;
  SseReader reader;
  std::string place;
  bool connected = false;
  Duration wait = first_wait;
  Instant heard = edge.now();
  const auto take_event = [&](const SseEvent& event) {
    if (followed.ended) return;
    if (!event.id.empty()) place = event.id;
    wait = first_wait;
    followed.ended = take(event);
  };
  for (;;) {
    std::string problem;
    reader.reset();
    followed.answer = edge.stream(path, place, [&](int status, std::string_view bytes) {
      if (status == 200) {
        connected = true;
        heard = edge.now();
        reader.push(bytes, take_event);
      } else {
        problem += bytes;
      }
      return followed.ended ? Flow::stop : Flow::more;
    });
    followed.answer.body = std::move(problem);
    const auto& answer = followed.answer;
    followed.ended = followed.ended || answer.status == 204;
    if (followed.ended) return followed;
    const bool refused = answer.status != 200 && (!connected || !passing(answer));
    if (refused || edge.now() - heard > patience) return followed;
    edge.wait(std::max(wait, answer.status == 200 ? wait : answer.retry_after.value_or(wait)));
    wait = std::min(2 * wait, wait_max);
  }
}

}  // namespace millrace::cli
