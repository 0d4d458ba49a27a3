#pragma once
#include <curl/curl.h>

#include <memory>
#include <vector>

#include "shared/curl/easy.h"
#include "shared/curl/http_client.h"
#include "shared/curl/socket_set.h"

namespace millrace {

struct MultiDelete {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

/// libcurl's multi handle on a loop: its sockets in a SocketSet, its one timer on the Clock.
class HttpClient::Multi {
 public:
  Multi(Clock& clock, HttpClientSettings settings);
  ~Multi();

  /// A handle with everything set that is the same for all requests.
  CURL* borrow();
  void give_back(CURL* handle);
  void add(CURL* handle);
  void remove(CURL* handle);
  const HttpClientSettings& settings() const { return settings_; }
  /// Something changed outside of libcurl's calls: look at its timers soon.
  void kick();

 private:
  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void* known);
  static int on_timer(CURLM*, long timeout_ms, void* self);
  void on_ready(const SocketSet::Ready& ready);
  void act(curl_socket_t fd, int bits);
  void take_finished();
  void arm(Instant when);
  void on_time();
  std::unique_ptr<CURL, EasyDelete> make_handle() const;

  Clock& clock_;
  const HttpClientSettings settings_;
  SocketSet sockets_;
  std::unique_ptr<CURLM, MultiDelete> multi_;
  std::vector<std::unique_ptr<CURL, EasyDelete>> idle_;
  Instant due_ = Instant::max();    ///< what libcurl asked for
  Instant armed_ = Instant::max();  ///< what the clock was asked for
  Clock::TimerId timer_{};
  bool kicked_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< wake-ups hold it weakly
};

}  // namespace millrace
