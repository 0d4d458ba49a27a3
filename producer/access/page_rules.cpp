#include "producer/access/page_rules.h"

#include <algorithm>
#include <array>

#include "producer/ingress/refusal.h"
#include "shared/http/header_list.h"
#include "shared/http/request_head.h"
#include "shared/runtime/ip_address.h"

namespace millrace::access {
namespace {

using http::equal_ignoring_case;

/// Reserved (RFC 6762, RFC 8375) or promised (ICANN) never to be in the public DNS.
constexpr std::array<std::string_view, 3> private_endings{".local", ".internal", ".home.arpa"};

struct Shown {
  std::string_view host;
  std::string_view origin;
  std::string_view site;
};

/// In one pass: it is paid for by every request.
Shown shown_by(const http::Request& request) {
  Shown shown;
  for (const auto& [name, value] : request.headers) {
    if (name == "host")
      shown.host = value;
    else if (name == "origin")
      shown.origin = value;
    else if (name == "sec-fetch-site")
      shown.site = value;
  }
  return shown;
}

/// `Name.:8080` is `Name`, `[::1]:8080` is `::1`.
std::string_view name_in(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(1, authority.find(']') - 1);
  const auto name = authority.substr(0, authority.find(':'));
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

bool ends_with(std::string_view name, std::string_view ending) {
  return name.size() > ending.size() &&
         equal_ignoring_case(name.substr(name.size() - ending.size()), ending);
}

bool is_private(std::string_view name) {
  return !name.contains('.') ||
         std::ranges::any_of(private_endings, [&](auto ending) { return ends_with(name, ending); });
}

std::string_view authority_of(std::string_view origin) {
  const auto scheme = origin.find("://");
  return scheme == origin.npos ? std::string_view() : origin.substr(scheme + 3);
}

Problem wrong_host(std::string_view host) {
  return make_problem(
      "host_not_allowed", "Host",
      "This millrace does not know itself by the name " + quoted(host) +
          ". While it wants no key, it answers to localhost, to IP addresses and to the names in "
          "ALLOWED_HOSTS, so that no web page can reach it under a name of its own: set "
          "ALLOWED_HOSTS to this name (without the port), or make a key (`millrace keys create`).");
}

Problem wrong_sender(std::string_view origin) {
  const std::string who = origin.empty() ? "another site" : "the origin " + quoted(origin);
  return make_problem(
      "cross_origin", origin.empty() ? "Sec-Fetch-Site" : "Origin",
      "A page of " + who +
          " sent this, and while millrace wants no key, only its own pages may change anything: "
          "set CORS_ORIGINS to that origin, or make a key (`millrace keys create`).");
}

}  // namespace

PageRules::PageRules(const Settings& settings)
    : cors_(settings.cors_origins), loopback_(settings.loopback) {
  for (std::string_view rest = settings.allowed_hosts; !rest.empty();) {
    const auto host = http::take_item(rest, ',');
    any_host_ = any_host_ || host == "*";
    if (!host.empty()) hosts_.emplace_back(name_in(host));
  }
}

bool PageRules::listed(std::string_view host) const {
  return std::ranges::any_of(hosts_,
                             [&](const auto& own) { return equal_ignoring_case(own, host); });
}

bool PageRules::host_passes(std::string_view authority) const {
  if (any_host_ || authority.empty()) return true;
  const auto name = name_in(authority);
  if (name == "127.0.0.1" || name == "localhost") return true;  // nearly always: 0.15 µs less
  if (equal_ignoring_case(name, "localhost") || ends_with(name, ".localhost")) return true;
  return IpAddress::parse(name) || listed(name) || (!loopback_ && is_private(name));
}

bool PageRules::sender_passes(std::string_view host, std::string_view origin,
                              std::string_view site) const {
  // No page can write Sec-Fetch-Site. Browsers leave it out towards plain http of other machines.
  if (equal_ignoring_case(site, "same-origin") || equal_ignoring_case(site, "none")) return true;
  if (cors_.allows(origin)) return true;
  if (!site.empty()) return false;
  if (origin.empty()) return true;
  // A proxy in front may have put its own Host in the place of the page's.
  const auto authority = authority_of(origin);
  return !authority.empty() && (equal_ignoring_case(authority, host) || listed(name_in(authority)));
}

std::optional<Problem> PageRules::objection(const http::Request& request) const {
  const auto [host, origin, site] = shown_by(request);
  if (!host_passes(host)) return wrong_host(host);
  if (request.method == http::Method::get || (origin.empty() && site.empty())) return std::nullopt;
  if (!sender_passes(host, origin, site)) return wrong_sender(origin);
  return std::nullopt;
}

}  // namespace millrace::access
