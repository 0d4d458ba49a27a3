#include "shared/contract/redriven.h"

#include <simdjson.h>

#include <algorithm>
#include <array>

#include "shared/contract/any_json.h"
#include "shared/contract/envelope.h"
#include "shared/contract/raw_members.h"
#include "shared/runtime/json_text.h"
#include "shared/runtime/limits.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;

constexpr std::array<std::string_view, 5> written_anew{"id", "created_at", "deadline", "not_before",
                                                       "metadata"};
constexpr std::string_view origin_member = "redriven_from";

void member(std::string& out, std::string_view name) {
  if (out.size() > 1) out += ',';
  append_json_string(out, name);
  out += ':';
}

void time_member(std::string& out, std::string_view name, WallTime value) {
  member(out, name);
  out += '"';
  append_rfc3339(out, value);
  out += '"';
}

/// Values stay as they were written: what a number beyond a double was is known nowhere else.
template <class Skips>
void copy_members(std::string& out, dom::object from, std::string_view text, Skips skips) {
  RawMembers raw(text);
  for (const auto& [name, value] : from) {
    const auto written = raw.next();
    if (skips(name)) continue;
    member(out, name);
    out += one_line(written);
  }
}

std::string metadata_of(const dom::element& envelope, const Job& old) {
  std::string out = "{";
  dom::object metadata;
  if (!envelope["metadata"].get(metadata)) {
    copy_members(out, metadata, raw_member(old.envelope, envelope, "metadata"),
                 [](std::string_view name) { return name == origin_member; });
  }
  member(out, origin_member);
  append_json_string(out, old.id.str());
  return out += '}';
}

/// What somebody else wrote may be any times; one out of range would make the new job unreadable.
std::chrono::milliseconds lifetime(const Job& old) {
  return std::clamp<std::chrono::milliseconds>(old.deadline - old.created_at, 0ms,
                                               limits::deadline_max);
}

}  // namespace

Job redriven(const Job& old, const JobId& id, WallTime now) {
  dom::parser parser;
  dom::element envelope;
  if (const auto error = parse_any_json(parser, old.envelope, envelope))
    throw simdjson::simdjson_error(error);
  std::string out = "{";
  member(out, "id");
  append_json_string(out, id.str());
  copy_members(out, envelope, old.envelope, [](std::string_view name) {
    return std::ranges::find(written_anew, name) != written_anew.end();
  });
  time_member(out, "created_at", now);
  time_member(out, "deadline", now + lifetime(old));
  member(out, "metadata");
  out += metadata_of(envelope, old);
  out += '}';
  return std::get<Job>(decode_envelope(out));
}

JobId redriven_id(const Job& old) {
  return derived_job_id("redriven:" + old.tenant, old.id.str());
}

}  // namespace millrace
