#include "shared/runtime/config_value.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace millrace::config_value {
namespace {

struct Unit {
  std::string_view name;
  Duration length;
};
constexpr std::array<Unit, 5> units{{{"d", 24h}, {"h", 1h}, {"min", 1min}, {"s", 1s}, {"ms", 1ms}}};

template <class N>
std::optional<N> whole_text(std::string_view text) {
  N value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// `host` or `host:port`, `[v6]` and `[v6]:port`.
bool host_and_port(std::string_view text) {
  std::size_t colon = text.rfind(':');
  if (colon != text.npos && text.find(']', colon) != text.npos) colon = text.npos;
  if (colon != text.npos) {
    const auto port = whole_number(text.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return false;
    text = text.substr(0, colon);
  }
  return !text.empty() && text.find_first_of(" /@,") == text.npos;
}

}  // namespace

std::optional<std::uint64_t> whole_number(std::string_view text) {
  return whole_text<std::uint64_t>(text);
}

std::optional<double> number(std::string_view text) {
  const auto value = whole_text<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<bool> truth(std::string_view text) {
  for (const auto yes : {"true", "on", "yes", "1"}) {
    if (text == yes) return true;
  }
  for (const auto no : {"false", "off", "no", "0"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::optional<Duration> duration(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789.");
  const auto count = number(text.substr(0, digits));
  const auto unit = digits == text.npos ? "s" : text.substr(digits);
  if (!count) return std::nullopt;
  for (const auto& [name, length] : units) {
    if (name != unit) continue;
    const double ticks = *count * static_cast<double>(length.count());
    if (ticks > static_cast<double>(Duration(std::chrono::years(100)).count())) return std::nullopt;
    return Duration(std::llround(ticks));
  }
  return std::nullopt;
}

std::string to_text(Duration time) {
  for (const auto& [name, length] : units) {
    if (name != "d" && time % length == Duration::zero()) {
      return fmt::format("{}{}", time / length, name);
    }
  }
  return fmt::format("{}ms", std::chrono::duration<double, std::milli>(time).count());
}

std::string to_text(double value) {
  return fmt::format("{}", value);
}

bool broker_list(std::string_view text) {
  while (true) {
    const std::size_t comma = text.find(',');
    if (!host_and_port(text.substr(0, comma))) return false;
    if (comma == text.npos) return true;
    text = text.substr(comma + 1);
  }
}

bool origin_list(std::string_view text) {
  if (text == "*") return true;
  for (;;) {
    const std::size_t comma = text.find(',');
    std::string_view origin = text.substr(0, comma);
    while (origin.starts_with(' ')) origin.remove_prefix(1);
    const auto scheme = origin.find("://");
    if (scheme == origin.npos || !host_and_port(origin.substr(scheme + 3))) return false;
    if (origin.substr(0, scheme) != "http" && origin.substr(0, scheme) != "https") return false;
    if (comma == text.npos) return true;
    text = text.substr(comma + 1);
  }
}

bool host_list(std::string_view text) {
  if (text == "*") return true;
  constexpr std::string_view letters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  for (;;) {
    const std::size_t comma = text.find(',');
    std::string_view host = text.substr(0, comma);
    host.remove_prefix(std::min(host.find_first_not_of(' '), host.size()));
    host = host.substr(0, host.find_last_not_of(' ') + 1);
    if (host.empty() || host.find_first_not_of(letters) != host.npos) return false;
    if (comma == text.npos) return true;
    text = text.substr(comma + 1);
  }
}

std::optional<std::string> listen_address(std::string_view text) {
  if (text == "localhost") return std::string(text);
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const std::string address(text);
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  const bool is_address = inet_pton(AF_INET, address.c_str(), parsed.data()) == 1 ||
                          inet_pton(AF_INET6, address.c_str(), parsed.data()) == 1;
  return is_address ? std::optional(address) : std::nullopt;
}

bool redis_url(std::string_view text) {
  constexpr std::string_view scheme = "redis://";
  if (!text.starts_with(scheme)) return false;
  text = text.substr(scheme.size());
  if (const auto at = text.rfind('@'); at != text.npos) text = text.substr(at + 1);
  if (const auto slash = text.find('/'); slash != text.npos) {
    const auto db = text.substr(slash + 1);
    if (!db.empty() && !whole_number(db)) return false;
    text = text.substr(0, slash);
  }
  return host_and_port(text);
}

std::optional<std::string> model_server_url(std::string_view text) {
  if (!text.starts_with("http://") && !text.starts_with("https://")) return std::nullopt;
  while (text.ends_with('/')) text.remove_suffix(1);
  if (text.ends_with("/v1")) text.remove_suffix(3);
  while (text.ends_with('/')) text.remove_suffix(1);
  if (text.find("://") == text.npos || text.find_first_of(" ?#") != text.npos) return std::nullopt;
  return std::string(text);
}

bool edge_url(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme != text.npos) {
    if (!model_server_url(text)) return false;
    text = text.substr(scheme + 3);
    text = text.substr(0, text.find('/'));
    return host_and_port(text.substr(text.rfind('@') + 1));  // whole where there is no `@`
  }
  text = text.substr(0, text.find('/'));
  const bool port = text.contains(':') && !text.ends_with(']');
  return port && host_and_port(text);
}

std::optional<std::string> sqlite_path(std::string_view text) {
  if (text.starts_with("sqlite:")) {
    text = text.substr(7);
    if (text.starts_with("///")) text = text.substr(3);
  } else if (text.find("://") != text.npos) {
    return std::nullopt;
  }
  return text.empty() ? std::nullopt : std::optional(std::string(text));
}

bool postgres_url(std::string_view text) {
  for (const std::string_view scheme : {"postgres://", "postgresql://"})
    if (text.starts_with(scheme)) return text.size() > scheme.size();
  return false;
}

std::optional<std::string> database_url(std::string_view text) {
  return postgres_url(text) ? std::optional(std::string(text)) : sqlite_path(text);
}

bool loopback(std::string_view host) {
  const bool loopback_v4 =
      host.starts_with("127.") && host.find_first_not_of("0123456789.") == host.npos;
  return loopback_v4 || host == "localhost" || host == "::1";
}

std::string without_password(std::string_view url) {
  std::string shown(url);
  const auto begin = shown.find("://");
  if (begin == shown.npos) return shown;
  const auto at = shown.rfind('@');
  const auto colon = shown.find(':', begin + 3);
  if (at != shown.npos && colon < at) shown.replace(colon + 1, at - colon - 1, mask);
  constexpr std::string_view parameter = "password=";
  for (auto found = shown.find(parameter); found != shown.npos;) {
    const auto from = found + parameter.size();
    const auto to = std::min(shown.find('&', from), shown.size());
    shown.replace(from, to - from, mask);
    found = shown.find(parameter, from);
  }
  return shown;
}

}  // namespace millrace::config_value
