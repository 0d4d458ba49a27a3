#include "producer/ingress/dead_letter_routes.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <expected>

#include "producer/ingress/json_body.h"
#include "producer/ingress/limits.h"
#include "producer/ingress/request_headers.h"
#include "shared/runtime/json_text.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;

/// What a tenant left stands among everybody's, in topics that can only be read through.
Refusal not_here(std::string_view instead) {
  return refuse("not_supported", "",
                "The dead letters of this millrace are in Kafka, which no edge can search. " +
                    std::string(instead));
}

std::optional<std::int64_t> number_in(const std::string& text, std::int64_t least,
                                      std::int64_t most) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || number < least || number > most) return std::nullopt;
  return number;
}

void append_letter(std::string& out, const DeadLetter& letter) {
  out += R"({"number":)";
  append_number(out, static_cast<std::uint64_t>(letter.number));
  out.append(R"(,"job":")").append(letter.job.str()).append(R"(","reason":)");
  append_json_string(out, letter.reason);
  out += R"(,"attempts":)";
  append_number(out, std::uint64_t{letter.attempts});
  out += R"(,"died_at":")";
  append_rfc3339(out, letter.died_at);
  out += R"(","redriven_as":)";
  if (letter.redriven_as)
    append_json_string(out, letter.redriven_as->str());
  else
    out += "null";
  out += '}';
}

std::string list_json(const std::vector<DeadLetter>& letters, std::size_t limit) {
  std::string out = R"({"data":[)";
  for (const auto& letter : letters) {
    if (&letter != &letters.front()) out += ',';
    append_letter(out, letter);
  }
  const bool more = letters.size() == limit;
  out += more ? R"(],"has_more":true,"next":)" : R"(],"has_more":false,"next":null})";
  if (more) out += std::to_string(letters.back().number) + "}";
  return out;
}

void append_sent(std::string& out, const Redrive::Sent& sent) {
  out.append(R"({"from":")").append(sent.from.str());
  out.append(R"(","id":")").append(sent.as.str()).append("\"}");
}

std::string page_json(const Redrive::Page& page) {
  std::string out = R"({"data":[)";
  for (const auto& sent : page.sent) {
    if (&sent != &page.sent.front()) out += ',';
    append_sent(out, sent);
  }
  out += R"(],"sent":)";
  append_number(out, std::uint64_t{page.sent.size()});
  out += R"(,"skipped":)";
  append_number(out, page.skipped);
  out += R"(,"next":)";
  return out + (page.next > 0 ? std::to_string(page.next) : "null") + "}";
}

http::Response answered(std::string body) {
  http::Response response;
  response.body = std::move(body);
  return response;
}

struct Asked {
  std::optional<JobId> id;
  std::int64_t after = 0;
};

std::expected<Asked, Refusal> asked_in(const std::string& body) {
  Asked asked;
  if (body.empty()) return asked;
  JsonBody json(body);
  const auto object = json.object(" with `id` or `after`, or empty");
  if (!object) return std::unexpected(Refusal{object.error(), {}, {}});
  std::vector<std::string_view> seen;
  for (const auto [name, value] : *object) {
    if (std::ranges::find(seen, name) != seen.end())
      return std::unexpected(Refusal{given_twice("/" + std::string(name), name), {}, {}});
    seen.push_back(name);
    std::string_view id;
    if (name == "id") {
      if (!value.get(id)) asked.id = JobId::parse(id);
      if (!asked.id)
        return std::unexpected(
            refuse("invalid_field", "/id", "`id` must be the id of a job, a UUID."));
    } else if (name != "after") {
      return std::unexpected(
          Refusal{not_known("/" + std::string(name), name, "id, after"), {}, {}});
    } else if (asked.after = whole_number(value).value_or(-1); asked.after < 0) {
      return std::unexpected(refuse("invalid_field", "/after",
                                    "`after` must be the `next` of the page before, or 0."));
    }
  }
  return asked;
}

}  // namespace

void DeadLetterRoutes::add_to(http::Router& router) {
  using http::Method;
  using http::Request;
  router.add(Method::get, "/v1/dead-letters", [this](Request& request) { return list(request); });
  router.add(Method::post, "/v1/dead-letters/redrive",
             [this](Request& request) { return redrive(request); });
}

Task<http::Response> DeadLetterRoutes::list(http::Request& request) {
  if (!letters_)
    co_return to_response(not_here("GET /v1/jobs?status=failed lists the jobs that failed."));
  const auto limit =
      number_in(request.query_param("limit").value_or("20"), 1, DeadLetters::page_max);
  if (!limit)
    co_return to_response(
        refuse("invalid_parameter", "limit", "`limit` must be a number from 1 to 100."));
  const auto before = number_in(request.query_param("after").value_or("0"), 0, INT64_MAX);
  if (!before)
    co_return to_response(
        refuse("invalid_parameter", "after", "`after` must be the `next` of the page before."));
  const auto letters =
      co_await letters_->list(request.tenant, *before, static_cast<std::size_t>(*limit));
  if (!letters) co_return to_response(store_away());
  co_return answered(list_json(*letters, static_cast<std::size_t>(*limit)));
}

Task<http::Response> DeadLetterRoutes::redrive(http::Request& request) {
  if (const auto refusal = unheard(request)) co_return to_response(*refusal);
  if (const auto refusal = not_json(request)) co_return to_response(*refusal);
  if (keeps_ && !keeps_()) co_return to_response(nothing_kept());
  const auto asked = asked_in(request.body);
  if (!asked) co_return to_response(asked.error());
  if (asked->id) {
    const auto sent = co_await redrive_.one(request.tenant, *asked->id);
    co_return sent ? answered(page_json({.sent = {*sent}})) : to_response(sent.error());
  }
  if (!letters_)
    co_return to_response(
        not_here("Name a job by `id`, or run `millrace jobs redrive` where KAFKA_BROKERS names "
                 "it."));
  const auto page = co_await redrive_.unsent(request.tenant, asked->after);
  co_return page ? answered(page_json(*page)) : to_response(page.error());
}

}  // namespace millrace
