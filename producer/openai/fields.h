#pragma once
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "producer/openai/asked.h"
#include "producer/openai/faults.h"
#include "shared/contract/raw_members.h"

/// The members of a request's body, each read once by the reader of its name. What the readers of
/// this API have in common; each request has more of its own.
namespace millrace::openai {

/// A request while it is being read.
struct Draft {
  explicit Draft(Asked& of) : asked(of) {}
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  Asked& asked;
  std::string_view name;  ///< of the field at hand
  std::string_view raw;   ///< its value as it was written

  Fault invalid(std::string_view detail) const;
  Fault invalid(std::string_view below, std::string_view detail) const;
  Fault not_supported(std::string_view detail) const;
  /// The field goes to the model's server as it was written.
  Fault pass();
  /// So does this JSON, as a field of this name.
  void pass_as(std::string_view as, std::string_view json);
};

/// A name, and who reads it: one of all requests, or the request's own.
template <class Own>
struct Field {
  std::string_view name;
  Fault (*shared)(Draft&, simdjson::dom::element) = nullptr;
  Fault (*own)(Own&, simdjson::dom::element) = nullptr;

  constexpr Field(std::string_view of, Fault (*read)(Draft&, simdjson::dom::element))
      : name(of), shared(read) {}
  constexpr Field(std::string_view of, Fault (*read)(Own&, simdjson::dom::element))
      : name(of), own(read) {}

  Fault read(Own& draft, simdjson::dom::element value) const {
    return own ? own(draft, value) : shared(draft, value);
  }
};

Problem unknown_field(std::string_view name);
Problem repeated_field(std::string_view name);

/// `null` is leaving out; a name that no field has, or has twice, is a fault. At most 64 fields.
template <class Own>
Fault read_fields(std::span<const Field<Own>> fields, Own& draft, simdjson::dom::object object,
                  std::string_view body) {
  RawMembers raw(body);
  std::uint64_t seen = 0;
  for (const auto [name, value] : object) {
    draft.raw = raw.next();
    const auto field = std::ranges::find(fields, name, &Field<Own>::name);
    if (field == fields.end()) return unknown_field(name);
    const auto bit = std::uint64_t{1} << (field - fields.begin());
    if (seen & bit) return repeated_field(name);
    seen |= bit;
    draft.name = field->name;
    if (value.is_null()) continue;
    if (auto fault = field->read(draft, value)) return fault;
  }
  return {};
}

/// Readers of JSON differ about which of two members of one name counts: no guess is passed on.
Fault check_once(const Draft& draft, simdjson::dom::element value);
/// What goes to the model beside the messages is bounded.
Fault check_params(const Job& job);

// What this program itself has to know.
Fault read_flag(Draft& draft, simdjson::dom::element value, bool& into);
Fault read_model(Draft& draft, simdjson::dom::element value);
Fault read_stream(Draft& draft, simdjson::dom::element value);
Fault read_limit(Draft& draft, simdjson::dom::element value);
Fault read_temperature(Draft& draft, simdjson::dom::element value);
Fault read_metadata(Draft& draft, simdjson::dom::element value);

// What goes on to the model's server.
Fault pass_as_is(Draft& draft, simdjson::dom::element value);
Fault pass_flag(Draft& draft, simdjson::dom::element value);
Fault pass_text(Draft& draft, simdjson::dom::element value);
Fault pass_effort(Draft& draft, simdjson::dom::element value);
Fault pass_verbosity(Draft& draft, simdjson::dom::element value);
Fault pass_service_tier(Draft& draft, simdjson::dom::element value);
Fault pass_cache_retention(Draft& draft, simdjson::dom::element value);
Fault pass_object(Draft& draft, simdjson::dom::element value);
Fault pass_whole_number(Draft& draft, simdjson::dom::element value);
Fault pass_number(Draft& draft, simdjson::dom::element value);
Fault pass_share(Draft& draft, simdjson::dom::element value);

// Words of OpenAI's; `name` is the field at hand, or a member of it.
using Words = std::span<const std::string_view>;
inline constexpr std::array<std::string_view, 6> effort_words{"none",   "minimal", "low",
                                                              "medium", "high",    "xhigh"};
inline constexpr std::array<std::string_view, 3> verbosity_words{"low", "medium", "high"};
inline constexpr std::array<std::string_view, 5> service_tier_words{"auto", "default", "flex",
                                                                    "priority", "scale"};
inline constexpr std::array<std::string_view, 3> cache_retention_words{"in-memory", "in_memory",
                                                                       "24h"};
Fault check_word(const Draft& draft, std::string_view name, simdjson::dom::element value,
                 Words words);

// What changes no answer, and what cannot be served.
Fault ignore(Draft& draft, simdjson::dom::element value);
Fault only_false(Draft& draft, simdjson::dom::element value);
Fault only_zero(Draft& draft, simdjson::dom::element value);
Fault never(Draft& draft, simdjson::dom::element value);

}  // namespace millrace::openai
