#pragma once
#include <optional>
#include <string>

#include "producer/ingress/cancel.h"
#include "producer/ingress/refusal.h"
#include "shared/event_log.h"
#include "shared/object_store.h"
#include "shared/store.h"

namespace millrace {

/// True of a job that was erased.
bool is_erased(const Job& job);

/// Takes out of jobs what they were asked and what they answered: the Store's copy, the log's, and
/// the object of a large input. That there was such a job, when, and what it cost, is kept: a late
/// delivery still finds it ended. One a loop; what the parts name outlives it.
class JobEraser {
 public:
  struct Parts {
    Store& store;
    EventLog& log;
    ObjectStore& objects;
    Cancel& cancel;
    Clock& clock;
    /// From its end until a job that is not to be kept is erased: its readers come meanwhile.
    Duration unkept_for;
  };
  explicit JobEraser(Parts parts) : parts_(parts) {}
  JobEraser(const JobEraser&) = delete;
  JobEraser& operator=(const JobEraser&) = delete;

  /// A job that has ended; once more is no error. 503 where something is away, or whoever ended it
  /// has not told the log: nothing, or a part, has been erased, and asking again is safe.
  Task<std::optional<Refusal>> erase(StoredJob ended);

  /// The turns of a session that has been removed, some at a time; those that live are cancelled
  /// first. What cannot be erased now `run` erases later.
  Task<> erase_turns(std::string tenant, std::string session);

  /// Erases what is not to be kept, on whichever edge it came, until cancelled.
  Task<> run();

 private:
  Task<> erase_one(StoredJob job);
  Task<> erase_turn(StoredJob job);
  Task<std::size_t> erase_unkept();

  Parts parts_;
};

}  // namespace millrace
