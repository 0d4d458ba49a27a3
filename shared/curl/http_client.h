#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/runtime/clock.h"
#include "shared/runtime/ip_address.h"

namespace millrace {

/// What the taker of a response wants next.
enum class Flow : std::uint8_t {
  more,
  pause,  ///< nothing more until `HttpExchange::resume`
  stop,   ///< close the connection; the exchange ends as `stopped`
};

/// How an exchange ended.
enum class HttpHow : std::uint8_t {
  complete,     ///< the whole response has come
  unreachable,  ///< no connection: nothing was sent
  cut,          ///< the connection broke under the request or the response
  malformed,    ///< what came is not HTTP
  stopped,      ///< the taker had enough
  refused,      ///< this client does not do that: scheme, URL, TLS trust
  forbidden,    ///< none of the host's addresses may be connected to
};

struct HttpEnd {
  HttpHow how = HttpHow::complete;
  std::string detail;                   ///< for a person; empty when complete
  std::optional<Duration> retry_after;  ///< the response's, seconds or date
};

/// Takes a response as it arrives, on the client's loop.
class ResponseTaker {
 public:
  virtual ~ResponseTaker() = default;
  /// A piece of the body, at most 16 KiB. After `pause` what the connection had already brought
  /// may still come.
  virtual Flow on_body(int status, std::string_view bytes) noexcept = 0;
  /// Called once, also without a body; not when the exchange is dropped before.
  virtual void on_end(int status, HttpEnd end) noexcept = 0;
};

/// Header lines (`Name: value`) that many requests share.
class HeaderLines {
 public:
  explicit HeaderLines(const std::vector<std::string>& lines);
  ~HeaderLines();
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;
  void* list() const { return list_; }

 private:
  void* list_ = nullptr;
};

struct HttpPost {
  std::string url;                       ///< http or https
  const HeaderLines& headers;            ///< outlives the exchange
  std::vector<std::string> own_headers;  ///< more of them, of this request alone
  std::string body;
};

struct HttpClientSettings {
  Duration connect_timeout;
  std::size_t connections_kept;  ///< idle ones kept for the next request
  /// Asked about each address right before it is connected to. With it no proxy is used, behind
  /// which the address would not be known. Empty: every address.
  std::function<bool(const IpAddress&)> may_connect{};
};

class HttpExchange;

/// HTTP/1.1 on one loop, by libcurl's multi interface. Connections are reused; a loopback
/// address is never asked through a proxy. Outlives its exchanges.
class HttpClient {
 public:
  HttpClient(Clock& clock, HttpClientSettings settings);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

 private:
  friend class HttpExchange;
  class Multi;
  std::unique_ptr<Multi> multi_;
};

/// One request on its way. Its destruction closes the connection at once, unless the response
/// is complete. Never destroyed inside a callback of its taker.
class HttpExchange {
 public:
  /// Starts at once; the taker hears of it later, never before the constructor has returned.
  HttpExchange(HttpClient& client, HttpPost post, ResponseTaker& taker);
  ~HttpExchange();
  HttpExchange(const HttpExchange&) = delete;
  HttpExchange& operator=(const HttpExchange&) = delete;

  bool over() const { return over_; }
  void resume();

 private:
  friend class HttpClient::Multi;
  struct OwnHeaders;
  struct Door;
  static std::size_t on_body(char* bytes, std::size_t one, std::size_t count, void* self);
  void finish(int curl_code);

  HttpClient::Multi& multi_;
  HttpPost post_;
  ResponseTaker& taker_;
  std::unique_ptr<OwnHeaders> own_headers_;
  std::unique_ptr<Door> door_;  ///< where not every address may be connected to
  void* handle_ = nullptr;
  std::array<char, 256> error_{};  ///< libcurl's own words, CURL_ERROR_SIZE
  bool over_ = false;
  bool stop_asked_ = false;
};

}  // namespace millrace
