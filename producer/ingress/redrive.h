#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "producer/ingress/submit.h"
#include "shared/dead_letters.h"
#include "shared/object_store.h"
#include "shared/store.h"

namespace millrace {

/// Does the work of jobs that failed again. The Store says what the old job was, and the new one
/// (contract/redriven.h) is accepted as any other, but waits for its turn in its session whatever
/// its `on_busy` says. One a loop; what the parts name outlives it.
class Redrive {
 public:
  struct Parts {
    Store& store;
    ObjectStore& objects;
    Submit& submit;
    Clock& clock;
    Random& random;
    DeadLetters* letters = nullptr;  ///< null: nobody asks what was not sent before
  };
  explicit Redrive(Parts parts) : parts_(parts) {}
  Redrive(const Redrive&) = delete;
  Redrive& operator=(const Redrive&) = delete;

  struct Sent {
    JobId from;
    JobId as;
  };
  struct Page {
    std::vector<Sent> sent;
    std::uint64_t skipped = 0;  ///< whose work cannot be done again: they stay
    std::int64_t next = 0;      ///< `after` of the next page; 0: that was all
  };
  using OneSent = std::expected<Sent, Refusal>;
  using PageSent = std::expected<Page, Refusal>;

  /// Under another new id each time. 404: the tenant has no such job, or it did not fail; 409: what
  /// it was asked cannot be read or is gone; else as a submission is refused.
  Task<OneSent> one(std::string tenant, JobId id);

  /// A page of the tenant's letters with a number above `after` that were not sent before, oldest
  /// first; `letters` is not null. The new ids are derived, so a run that was interrupted is gone
  /// on with, and makes no job twice. A refusal that passes ends the page before that letter.
  Task<PageSent> unsent(std::string tenant, std::int64_t after);

 private:
  enum class Id : std::uint8_t { fresh, derived };
  Task<OneSent> send(std::string tenant, JobId id, Id which);
  Task<bool> has_input(const Job& job);

  Parts parts_;
};

}  // namespace millrace
