#include "producer/objects/object_routes.h"

#include "producer/objects/object_stream.h"
#include "producer/objects/wanted_part.h"
#include "shared/http/one_meaning.h"
#include "shared/object_link.h"

namespace millrace {
namespace {

http::Response unheard(const http::Unheard& what) {
  return http::to_response({.status = 400,
                            .code = "invalid_parameter",
                            .title = "A parameter is not what it may be",
                            .detail = what.detail,
                            .field = what.name});
}

http::Response refused(LinkSigner::Verdict why) {
  if (why == LinkSigner::Verdict::expired) {
    return http::to_response({.status = 403,
                              .code = "link_expired",
                              .title = "The link has expired",
                              .detail = "The link was good until the time in 'expires'; ask for a "
                                        "new one where this one came from.",
                              .field = "expires"});
  }
  return http::to_response({.status = 403,
                            .code = "bad_signature",
                            .title = "The link was not made for this object",
                            .detail = "The signature does not match this name and expiry; use the "
                                      "link exactly as it was given.",
                            .field = "signature"});
}

http::Response not_given(Errc error) {
  if (error == Errc::not_found) {
    return http::to_response({.status = 404,
                              .code = "object_not_found",
                              .title = "There is no such object",
                              .detail = "What the link was made for is no longer kept.",
                              .field = "key"});
  }
  if (error == Errc::corrupt) {
    return http::to_response({.status = 500,
                              .code = "object_corrupt",
                              .title = "The object is damaged",
                              .detail = "What is stored is not what was put; asking again is of no "
                                        "use.",
                              .field = "key"});
  }
  auto response = http::to_response({.status = 503,
                                     .code = "objects_unavailable",
                                     .title = "The object store is not reachable",
                                     .detail = "The object cannot be read now; try again.",
                                     .field = {}});
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

http::Response beyond_the_end(std::uint64_t size) {
  auto response = http::to_response(
      {.status = 416,
       .code = "range_not_satisfiable",
       .title = "The range lies beyond the object",
       .detail = "The object has " + std::to_string(size) + " bytes; none of them is in the range.",
       .field = "Range"});
  response.headers.emplace_back("Content-Range", "bytes */" + std::to_string(size));
  return response;
}

/// `bytes 0-9/300`
std::string content_range(const ByteRange& range, std::uint64_t size) {
  return "bytes " + std::to_string(range.from) + "-" + std::to_string(range.from + range.size - 1) +
         "/" + std::to_string(size);
}

/// A range of what was there before is not wanted of what is there now.
bool hears_range(const http::Request& request, std::string_view tag) {
  const auto only_if = request.header("if-range");
  return only_if.empty() || only_if == tag;
}

/// Only asks.
class NoSink final : public ByteSink {
 public:
  Task<Result<>> write(std::string) override { co_return Result<>(); }
};

}  // namespace

void ObjectRoutes::add_to(http::Router& router) {
  router.add(http::Method::get, object_link_path,
             [this](http::Request& request) { return get_object(request); });
}

Task<http::Response> ObjectRoutes::get_object(http::Request& request) {
  auto wrong = http::header_given_twice(request, {"Range", "If-Range"});
  if (!wrong) wrong = http::unheard_parameter(request, {"tenant", "key", "expires", "signature"});
  if (wrong) co_return unheard(*wrong);
  ObjectName name{.tenant = request.query_param("tenant").value_or(""),
                  .key = request.query_param("key").value_or("")};
  const auto verdict =
      verify_object_link(signer_, name, request.query_param("expires").value_or(""),
                         request.query_param("signature").value_or(""), clock_.wall());
  if (verdict != LinkSigner::Verdict::good) co_return refused(verdict);
  NoSink nowhere;
  const auto info = co_await objects_.get(name, {.from = 0, .size = 0}, nowhere);
  if (!info) co_return not_given(info.error());

  const auto tag = "\"" + info->sha256 + "\"";
  WantedPart part;
  if (hears_range(request, tag)) part = wanted_part(request.header("range"), info->size);
  if (part.what == WantedPart::What::nothing) co_return beyond_the_end(info->size);
  http::Response response;
  if (part.what == WantedPart::What::part) {
    response.status = 206;
    response.headers.emplace_back("Content-Range", content_range(part.range, info->size));
  } else {
    part.range = {.from = 0, .size = info->size};
  }
  response.content_type = "application/octet-stream";
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Content-Disposition", "attachment");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.headers.emplace_back("ETag", tag);
  response.stream_bytes = part.range.size;
  response.stream = object_stream(objects_, std::move(name), part.range, info->sha256);
  co_return response;
}

}  // namespace millrace
