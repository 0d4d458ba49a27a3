#pragma once
#include "workers/pool/job_run.h"
#include "workers/pool/verdict.h"

namespace millrace {

/// Step 0 of a chat job: one turn asked of the model, its words written as they come. A finished
/// turn is not asked again. A turn that was cut goes on from its words, or starts over, as the
/// settings say.
Task<RunEnd> llm_turn(JobRun& run, const std::vector<Step>& finished);

/// What tells one turn from another: the job's input, model and parameters.
std::string turn_hash(const Job& job);

/// The output of an `llm_turn` step: `{"text","finish_reason","model","tool_calls","usage"}`.
std::string encode_turn(const ChatEnd& end, std::string_view text);
std::optional<Answered> decode_turn(std::string_view output);

/// How a run ends that was told to stop.
RunEnd stopped_end(const JobRun& run);

}  // namespace millrace
