#include "producer/openai/response_params.h"

#include <charconv>

#include "producer/ingress/limits.h"
#include "shared/http/one_meaning.h"

namespace millrace::openai {
namespace {

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Refusal invalid(std::string_view name, std::string_view value, std::string_view allowed) {
  return refuse("invalid_parameter", std::string(name),
                "`" + std::string(name) + "` is " + quoted(value) + "; allowed is " +
                    std::string(allowed) + ".");
}

std::optional<Refusal> unheard_of(const http::Request& request,
                                  std::initializer_list<std::string_view> parameters) {
  auto found = http::header_given_twice(request, {"Last-Event-ID"});
  if (!found) found = http::unheard_parameter(request, parameters);
  if (!found) return std::nullopt;
  return refuse("invalid_parameter", std::move(found->name), std::move(found->detail));
}

std::expected<bool, Refusal> flag(const http::Request& request, std::string_view name) {
  const auto text = request.query_param(name).value_or("false");
  if (text == "true") return true;
  if (text == "false") return false;
  return std::unexpected(invalid(name, text, "true or false"));
}

}  // namespace

std::expected<RetrieveParams, Refusal> parse_retrieve_params(const http::Request& request) {
  // What they add is nothing this program has.
  auto refusal = unheard_of(
      request, {"stream", "starting_after", "include", "include[]", "include_obfuscation"});
  if (refusal) return std::unexpected(std::move(*refusal));
  RetrieveParams params;
  const auto stream = flag(request, "stream");
  if (!stream) return std::unexpected(stream.error());
  params.stream = *stream;
  const auto place = request.query_param("starting_after");
  if (place && !params.stream)
    return std::unexpected(refuse("invalid_parameter", "starting_after",
                                  "`starting_after` is allowed only when `stream` is true."));
  const std::string text(place ? *place : request.header("last-event-id"));
  if (!params.stream || text.empty()) return params;
  params.starting_after = whole_number<Seq>(text);
  if (params.starting_after) return params;
  return std::unexpected(invalid(place ? "starting_after" : "Last-Event-ID", text,
                                 "the sequence_number of an event, a number from 0 on"));
}

std::expected<ItemPage, Refusal> parse_item_page(const http::Request& request) {
  auto refusal = unheard_of(request, {"limit", "order", "after", "include", "include[]"});
  if (refusal) return std::unexpected(std::move(*refusal));
  ItemPage page;
  if (const auto text = request.query_param("limit")) {
    const auto limit = whole_number<std::size_t>(*text);
    if (!limit || *limit < 1 || *limit > ingress_limits::list_limit_max)
      return std::unexpected(invalid("limit", *text, "a number from 1 to 100"));
    page.limit = *limit;
  }
  const auto order = request.query_param("order").value_or("desc");
  if (order != "asc" && order != "desc")
    return std::unexpected(invalid("order", order, R"("asc" or "desc")"));
  page.newest_first = order == "desc";
  page.after = request.query_param("after").value_or("");
  return page;
}

}  // namespace millrace::openai
