#include "producer/conversations/model_probe.h"

#include "shared/curl/blocking_http.h"
#include "shared/runtime/log.h"

namespace millrace::conversations {
namespace {

constexpr auto look_every = 5s;
/// While it is away: who waits for it should not wait for us.
constexpr auto look_for_return_every = 1s;
constexpr auto connect_timeout = 2s;
/// Of the whole look; a server that is busy may take longer, and is there.
constexpr auto look_timeout = 3s;

std::string models_url(std::string_view base) {
  while (base.ends_with('/')) base.remove_suffix(1);
  std::string url(base);
  if (!base.ends_with("/v1")) url += "/v1";
  return url + "/models";
}

bool answers(const BlockingAnswer& answer) {
  if (answer.how == HttpHow::unreachable) return false;
  return answer.status != 502 && answer.status != 503 && answer.status != 504;
}

}  // namespace

ModelProbe::ModelProbe(const std::string& base_url, const std::string& api_key)
    : url_(models_url(base_url)),
      authorization_(api_key.empty() ? "" : "Authorization: Bearer " + api_key),
      found_(base_url.empty() ? Found::simulated : Found::there) {
  if (!base_url.empty()) thread_ = std::thread([this] { look_again_and_again(); });
}

ModelProbe::~ModelProbe() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ModelProbe::look_again_and_again() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    look();
    lock.lock();
    const auto wait = found() == Found::away ? look_for_return_every : look_every;
    changed_.wait_for(lock, wait, [this] { return stopping_; });
  }
}

void ModelProbe::look() {
  BlockingHttp http;
  BlockingRequest request{.url = url_, .connect_timeout = connect_timeout, .timeout = look_timeout};
  if (!authorization_.empty()) request.headers.push_back(authorization_);
  const auto answer = http.ask(request, [](int, std::string_view) { return Flow::stop; });
  const Found now = answers(answer) ? Found::there : Found::away;
  const Found before = found_.exchange(now, std::memory_order_relaxed);
  if (now == before) return;
  if (now == Found::away)
    log::warn("model_server_away", {{"status", answer.status}, {"why", answer.detail}});
  else
    log::info("model_server_back", {});
}

}  // namespace millrace::conversations
