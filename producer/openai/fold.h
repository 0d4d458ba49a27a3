#pragma once
#include <string>
#include <string_view>

#include "shared/contract/event.h"
#include "shared/contract/problem.h"

namespace millrace::openai {

/// A job's events as a client of this API is told them. Pure: the same events give the same bytes,
/// wherever and whenever they are read from the beginning of the log.
class Fold {
 public:
  virtual ~Fold() = default;

  /// Takes the next event (its JSON as EventWriter or the relay wrote it; `seq` is 0 for one the
  /// relay made) and appends what the client is told. Nothing is taken once it is over.
  virtual void take(std::string_view type, Seq seq, std::string_view json, std::string& out) = 0;

  /// Ends it for a reason that is in no event.
  virtual void fail(Problem problem, std::string& out) = 0;

  virtual bool over() const = 0;
  /// The last event has been taken: nobody needs to stop the job.
  virtual bool job_ended() const = 0;
};

// Members of an event's JSON, as they stand there.

/// The inside of the string behind `,"text":`, which `end` alone follows.
std::string_view text_member(std::string_view json, std::string_view end = "\"}");
/// The number behind `name`, which is written `,"to":`; 0 when there is none.
Seq number_member(std::string_view json, std::string_view name);

}  // namespace millrace::openai
