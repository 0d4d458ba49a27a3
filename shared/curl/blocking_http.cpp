#include "shared/curl/blocking_http.h"

#include <array>
#include <exception>
#include <stdexcept>

#include "shared/curl/easy.h"

namespace millrace {
namespace {

long in_ms(Duration time) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

long in_s(Duration time) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

/// One exchange, as libcurl's callback sees it. What a taker throws waits for C's end.
struct Taking {
  CURL* easy;
  const BlockingHttp::TakeBody& take;
  std::string body{};
  std::exception_ptr thrown{};
  bool stop_asked = false;

  static std::size_t on_body(char* bytes, std::size_t one, std::size_t count, void* self) noexcept {
    auto& taking = *static_cast<Taking*>(self);
    return taking.took({bytes, one * count}) ? one * count : CURL_WRITEFUNC_ERROR;
  }

  bool took(std::string_view bytes) noexcept {
    try {
      if (!take) {
        body.append(bytes);
        return true;
      }
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      stop_asked = take(static_cast<int>(status), bytes) == Flow::stop;
    } catch (...) {
      thrown = std::current_exception();
      stop_asked = true;
    }
    return !stop_asked;
  }
};

/// A time-out after the connection stood says nothing about what the server has done.
HttpHow how(CURL* easy, CURLcode code, bool stop_asked) {
  curl_off_t sent_after = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent_after);
  if (code == CURLE_OPERATION_TIMEDOUT && sent_after > 0) return HttpHow::cut;
  return how_it_ended(code, stop_asked);
}

void ask_for(CURL* easy, const BlockingRequest& request) {
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  if (loopback_url(request.url)) curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, in_ms(request.connect_timeout));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, in_ms(request.timeout));
  if (request.silence_max > 0s) {
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, in_s(request.silence_max));
  }
  if (request.method == "GET") return;
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

}  // namespace

struct BlockingHttp::Handle {
  std::unique_ptr<CURL, EasyDelete> easy;
};

BlockingHttp::BlockingHttp() : handle_(std::make_unique<Handle>()) {
  start_curl_once();
  handle_->easy.reset(curl_easy_init());
  if (!handle_->easy) throw std::runtime_error("libcurl gave no handle");
}
BlockingHttp::~BlockingHttp() = default;

BlockingAnswer BlockingHttp::ask(const BlockingRequest& request, const TakeBody& take) {
  CURL* easy = handle_->easy.get();
  curl_easy_reset(easy);
  ask_for(easy, request);
  const HeaderLines headers(request.headers);
  std::array<char, CURL_ERROR_SIZE> words{};
  Taking taking{.easy = easy, .take = take};
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.list());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Taking::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &taking);
  const CURLcode code = curl_easy_perform(easy);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  if (taking.thrown) std::rethrow_exception(taking.thrown);

  BlockingAnswer answer;
  answer.how = how(easy, code, taking.stop_asked);
  if (code != CURLE_OK) answer.detail = words[0] ? words.data() : curl_easy_strerror(code);
  long status = 0;
  const char* type = nullptr;
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
  answer.status = static_cast<int>(status);
  if (type) answer.content_type = type;
  if (retry_after_s > 0) answer.retry_after = std::chrono::seconds(retry_after_s);
  answer.body = std::move(taking.body);
  return answer;
}

}  // namespace millrace
