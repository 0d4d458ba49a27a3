#include "shared/curl/http_client.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "shared/curl/easy.h"
#include "shared/curl/multi.h"

namespace millrace {
HeaderLines::HeaderLines(const std::vector<std::string>& lines) {
  curl_slist* list = nullptr;
  for (const std::string& line : lines) list = curl_slist_append(list, line.c_str());
  list_ = list;
}
HeaderLines::~HeaderLines() {
  curl_slist_free_all(static_cast<curl_slist*>(list_));
}

HttpClient::HttpClient(Clock& clock, HttpClientSettings settings)
    : multi_(std::make_unique<Multi>(clock, settings)) {}
HttpClient::~HttpClient() = default;

/// Lines before the shared ones, which stay as they are.
struct HttpExchange::OwnHeaders {
  std::vector<curl_slist> lines;
};

/// Opens a connection's socket, or does not. libcurl goes on to the host's next address then.
struct HttpExchange::Door {
  Door(const HttpClientSettings& settings, CURL* easy) : may_connect(settings.may_connect) {
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Door::open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  }

  static curl_socket_t open(void* self, curlsocktype, curl_sockaddr* to) noexcept {
    auto& door = *static_cast<Door*>(self);
    const auto address = address_of(*to);
    if (address && door.may_connect(*address))
      return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    door.refused = true;
    return CURL_SOCKET_BAD;
  }

  static std::optional<IpAddress> address_of(const curl_sockaddr& to) noexcept {
    std::array<std::uint8_t, 16> bytes{};
    if (to.family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(&to.addr);
      std::memcpy(bytes.data(), &v4->sin_addr, 4);
      return IpAddress::of(std::span(bytes).first(4));
    }
    if (to.family != AF_INET6) return std::nullopt;
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&to.addr);
    std::memcpy(bytes.data(), &v6->sin6_addr, 16);
    return IpAddress::of(bytes);
  }

  const std::function<bool(const IpAddress&)>& may_connect;
  bool refused = false;
};

HttpExchange::HttpExchange(HttpClient& client, HttpPost post, ResponseTaker& taker)
    : multi_(*client.multi_), post_(std::move(post)), taker_(taker), handle_(multi_.borrow()) {
  CURL* easy = handle_;
  auto* shared = static_cast<curl_slist*>(post_.headers.list());
  if (!post_.own_headers.empty()) {
    own_headers_ = std::make_unique<OwnHeaders>();
    auto& lines = own_headers_->lines;
    lines.reserve(post_.own_headers.size());  // they point at each other
    for (auto& text : post_.own_headers) {
      lines.push_back({text.data(), shared});
      shared = &lines.back();
    }
  }
  curl_easy_setopt(easy, CURLOPT_URL, post_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROXY, loopback_url(post_.url) ? "" : nullptr);
  if (multi_.settings().may_connect) door_ = std::make_unique<Door>(multi_.settings(), easy);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, shared);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post_.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post_.body.data());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &HttpExchange::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  multi_.add(easy);
}

HttpExchange::~HttpExchange() {
  if (!over_) multi_.remove(handle_);
  CURL* easy = handle_;
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
  multi_.give_back(easy);
}

void HttpExchange::resume() {
  if (!over_) curl_easy_pause(handle_, CURLPAUSE_CONT);
}

std::size_t HttpExchange::on_body(char* bytes, std::size_t one, std::size_t count, void* self) {
  auto& exchange = *static_cast<HttpExchange*>(self);
  long status = 0;
  curl_easy_getinfo(exchange.handle_, CURLINFO_RESPONSE_CODE, &status);
  const Flow flow = exchange.taker_.on_body(static_cast<int>(status), {bytes, one * count});
  if (flow == Flow::more) return one * count;
  if (flow == Flow::pause) {
    curl_easy_pause(exchange.handle_, CURLPAUSE_RECV);
    return one * count;
  }
  exchange.stop_asked_ = true;
  return CURL_WRITEFUNC_ERROR;
}

void HttpExchange::finish(int curl_code) {
  const auto code = static_cast<CURLcode>(curl_code);
  CURL* easy = handle_;
  long status = 0;
  curl_off_t retry_after_s = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after_s);
  HttpEnd end;
  end.how = how_it_ended(code, stop_asked_);
  if (end.how == HttpHow::unreachable && door_ && door_->refused) end.how = HttpHow::forbidden;
  if (code != CURLE_OK) end.detail = error_[0] ? error_.data() : curl_easy_strerror(code);
  if (retry_after_s > 0) end.retry_after = std::chrono::seconds(retry_after_s);
  over_ = true;
  multi_.remove(easy);
  taker_.on_end(static_cast<int>(status), std::move(end));
}

}  // namespace millrace
