#pragma once
#include <string>
#include <string_view>
#include <variant>

#include "shared/contract/job.h"

namespace millrace {

/// The version of the envelope this build writes, and the only one it reads.
inline constexpr int envelope_version = 1;

/// The Kafka value of a job: one line of UTF-8 JSON (see envelope.schema.json). Writes
/// `job.envelope` anew from the fields.
std::string encode_envelope(const Job& job);

struct UnknownVersion {
  std::int64_t version;
};  ///< from a newer build: may be read later
struct MalformedEnvelope {
  std::string reason;
};  ///< will never be read

/// Reads an envelope of any origin; keeps the text in `Job::envelope`. Never throws.
std::variant<Job, UnknownVersion, MalformedEnvelope> decode_envelope(std::string_view text);

}  // namespace millrace
