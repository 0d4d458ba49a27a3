#include "shared/curl/multi.h"

#include <boost/asio/post.hpp>
#include <stdexcept>

namespace millrace {
namespace {

/// Marks a socket libcurl has told us of before.
char known_socket;

long in_ms(Duration time) {
  return static_cast<long>(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

CURLM* new_multi() {
  start_curl_once();
  CURLM* multi = curl_multi_init();
  if (!multi) throw std::runtime_error("libcurl gave no multi handle");
  return multi;
}

}  // namespace

HttpClient::Multi::Multi(Clock& clock, HttpClientSettings settings)
    : clock_(clock),
      settings_(settings),
      sockets_(clock.loop(), [this](const SocketSet::Ready& ready) { on_ready(ready); }),
      multi_(new_multi()) {
  CURLM* multi = multi_.get();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Multi::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(settings.connections_kept));
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
}

HttpClient::Multi::~Multi() {
  alive_.reset();
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, nullptr);
  clock_.finish(timer_, asio::error::operation_aborted);
  idle_.clear();
}

std::unique_ptr<CURL, EasyDelete> HttpClient::Multi::make_handle() const {
  std::unique_ptr<CURL, EasyDelete> handle(curl_easy_init());
  if (!handle) throw std::runtime_error("libcurl gave no handle");
  CURL* easy = handle.get();
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, in_ms(settings_.connect_timeout));
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  return handle;
}

CURL* HttpClient::Multi::borrow() {
  if (idle_.empty()) return make_handle().release();
  CURL* handle = idle_.back().release();
  idle_.pop_back();
  return handle;
}

void HttpClient::Multi::give_back(CURL* handle) {
  std::unique_ptr<CURL, EasyDelete> owned(handle);
  if (idle_.size() < settings_.connections_kept) idle_.push_back(std::move(owned));
}

void HttpClient::Multi::add(CURL* handle) {
  curl_multi_add_handle(multi_.get(), handle);
}
void HttpClient::Multi::remove(CURL* handle) {
  curl_multi_remove_handle(multi_.get(), handle);
}

void HttpClient::Multi::kick() {
  if (kicked_) return;
  kicked_ = true;
  asio::post(clock_.loop(), [this, alive = std::weak_ptr<bool>(alive_)] {
    if (alive.expired()) return;
    kicked_ = false;
    act(CURL_SOCKET_TIMEOUT, 0);
  });
}

int HttpClient::Multi::on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known) {
  auto& multi = *static_cast<Multi*>(self);
  if (what == CURL_POLL_REMOVE) {
    multi.sockets_.forget(fd);
    return 0;
  }
  multi.sockets_.watch(fd, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0, known);
  if (!known) curl_multi_assign(multi.multi_.get(), fd, &known_socket);
  return 0;
}

// libcurl asks for a new time with nearly every step of a transfer, and most never come: the
// clock is only asked when the time moves forward; a timer that rings early looks again.
int HttpClient::Multi::on_timer(CURLM*, long timeout_ms, void* self) {
  auto& multi = *static_cast<Multi*>(self);
  multi.due_ =
      timeout_ms < 0 ? Instant::max() : multi.clock_.now() + std::chrono::milliseconds(timeout_ms);
  if (timeout_ms == 0) {
    multi.due_ = Instant::max();
    multi.kick();
  } else if (multi.due_ < multi.armed_) {
    multi.arm(multi.due_);
  }
  return 0;
}

void HttpClient::Multi::arm(Instant when) {
  if (armed_ != Instant::max()) clock_.finish(timer_, asio::error::operation_aborted);
  armed_ = when;
  auto ring = [this, alive = std::weak_ptr<bool>(alive_)](boost::system::error_code moved) {
    if (!moved && !alive.expired()) on_time();
  };
  clock_.async_wait(when, &timer_, std::move(ring));
}

void HttpClient::Multi::on_time() {
  armed_ = Instant::max();
  if (due_ == Instant::max()) return;
  if (clock_.now() < due_) return arm(due_);
  due_ = Instant::max();
  act(CURL_SOCKET_TIMEOUT, 0);
}

void HttpClient::Multi::on_ready(const SocketSet::Ready& ready) {
  const int bits = (ready.readable ? CURL_CSELECT_IN : 0) |
                   (ready.writable ? CURL_CSELECT_OUT : 0) | (ready.failed ? CURL_CSELECT_ERR : 0);
  act(ready.fd, bits);
}

void HttpClient::Multi::act(curl_socket_t fd, int bits) {
  int running = 0;
  curl_multi_socket_action(multi_.get(), fd, bits, &running);
  take_finished();
}

void HttpClient::Multi::take_finished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    HttpExchange* exchange = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    exchange->finish(code);
  }
}

}  // namespace millrace
