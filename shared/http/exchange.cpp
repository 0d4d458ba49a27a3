#include "shared/http/exchange.h"

#include <algorithm>

#include "shared/runtime/ids.h"

namespace millrace::http {
namespace {

constexpr std::size_t request_id_bytes_max = 128;

bool is_sane_id(std::string_view id) {
  if (id.empty() || id.size() > request_id_bytes_max) return false;
  return std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  });
}

std::string new_request_id(Random& random) {
  // 56 bits tell requests apart and fit a string that allocates nothing.
  const std::uint64_t number = random.next();
  return to_hex({reinterpret_cast<const char*>(&number), 7});
}

void append_lower(std::string& out, std::string_view text) {
  for (const char c : text) out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c);
}

}  // namespace

bool BodyShare::grow_to(std::size_t bytes) {
  context_.held_body_bytes += bytes - held_;
  held_ = bytes;
  return context_.held_body_bytes <= context_.options.held_body_bytes_max;
}

Connection::Exchange::Exchange(ServerContext& context) : share(context) {
  request.request_id = new_request_id(context.random);
}

void Connection::Exchange::take(const RequestHead& head) {
  is_head = head.method == Method::head;
  request.method = is_head ? Method::get : head.method;
  request.query = head.query;
  request.headers.reserve(head.fields.size());
  for (const auto& [name, value] : head.fields) {
    auto& [own_name, own_value] = request.headers.emplace_back();
    append_lower(own_name, name);
    own_value = value;
  }
  if (const auto own = head.field("x-request-id"); is_sane_id(own)) request.request_id = own;
  raw_path = head.raw_path;
  content_length = head.content_length.value_or(0);
  chunked = head.chunked;
  expects_continue = head.expects_continue;
  parts.http_1_0 = head.http_1_0;
}

bool Connection::Exchange::refuse_body(Problem why) {
  problem = std::move(why);
  body_refused = true;
  return false;
}

}  // namespace millrace::http
