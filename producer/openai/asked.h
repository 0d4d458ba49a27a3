#pragma once
#include "shared/contract/job.h"

namespace millrace::openai {

/// What becomes of the job when whoever waits for its answer leaves.
enum class OnLeave : std::uint8_t { unsaid, cancel, go_on };

/// What every request of this API for an answer says.
struct Asked {
  Job job;  ///< without id and envelope
  bool stream = false;
  OnLeave on_leave = OnLeave::unsaid;
};

}  // namespace millrace::openai
