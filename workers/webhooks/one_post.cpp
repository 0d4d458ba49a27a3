#include "workers/webhooks/one_post.h"

#include "shared/runtime/signal.h"

namespace millrace {
namespace {

constexpr std::size_t answer_bytes_max = 16 * 1024;

class Answer final : public ResponseTaker {
 public:
  explicit Answer(Clock& clock) : over(clock) {}

  Flow on_body(int status, std::string_view bytes) noexcept override {
    end.status = status;
    taken_ += bytes.size();
    return taken_ > answer_bytes_max ? Flow::stop : Flow::more;
  }
  void on_end(int status, HttpEnd ended) noexcept override {
    end.status = status;
    end.how = ended.how;
    end.detail = std::move(ended.detail);
    end.retry_after = ended.retry_after;
    over.notify();
  }

  PostEnd end;
  Signal over;

 private:
  std::size_t taken_ = 0;
};

}  // namespace

Task<PostEnd> post_once(HttpClient& client, Clock& clock, HttpPost post, Duration within) {
  Answer answer(clock);
  const Instant deadline = clock.now() + within;
  const HttpExchange exchange(client, std::move(post), answer);
  const bool in_time = co_await answer.over.wait_until(deadline);
  answer.end.in_time = in_time;
  // A status whose answer was cut or has no end is not one that was given.
  const bool whole =
      in_time && (answer.end.how == HttpHow::complete || answer.end.how == HttpHow::stopped);
  if (!whole) answer.end.status = 0;
  co_return std::move(answer.end);
}

}  // namespace millrace
