#pragma once
#include <expected>
#include <optional>
#include <string>

#include "producer/ingress/job_lookup.h"
#include "producer/openai/response_object.h"
#include "producer/openai/response_request.h"
#include "shared/object_store.h"

namespace millrace::openai {

/// A response that is kept, as its job stands.
struct KeptResponse {
  StoredJob row;
  Job job;
  ResponseHead head;
};

/// Responses that can be asked for again: what they are, what their model was given, and what
/// those that follow them start from. One a loop; what the parts name outlives it.
class KeptResponses {
 public:
  struct Parts {
    JobLookup& lookup;
    Store& store;
    ObjectStore& objects;
    Clock& clock;
  };
  explicit KeptResponses(Parts parts) : parts_(parts) {}
  KeptResponses(const KeptResponses&) = delete;
  KeptResponses& operator=(const KeptResponses&) = delete;

  template <class T>
  using Found = std::expected<T, Refusal>;

  /// 404 for a response that never was, is another tenant's, was deleted or is not kept: the same
  /// for all. 503 where that cannot be told now.
  Task<Found<KeptResponse>> find(std::string tenant, std::string name);

  /// What its model was given, but for the instructions.
  Task<Found<InputItems>> input_of(const Job& job);

  /// Puts what a request refers to into it: the response it goes on from, and single items.
  Task<std::optional<Refusal>> complete(std::string tenant, ResponseRequest& request);

 private:
  Task<std::string> envelope_of(std::string tenant, JobId id);
  Task<Found<std::string>> whole_input(Job job);
  Task<Found<std::string>> context_after(std::string tenant, std::string previous);
  Task<std::optional<Refusal>> resolve(std::string tenant, InputItems& items);

  Parts parts_;
  std::size_t input_bytes_ = 0;  ///< large inputs being read
};

}  // namespace millrace::openai
