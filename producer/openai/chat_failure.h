#pragma once
#include <string_view>

#include "shared/contract/outcome.h"
#include "shared/contract/problem.h"

/// How a job that ends without an answer is told to a client of the OpenAI routes: its status where
/// none has been sent yet, its code and words in a stream too. The table is in the README.
namespace millrace::openai {

Problem failure_of(const Outcome& outcome);

/// From the terminal event that says so.
Problem failure_told(std::string_view type, std::string_view json);

/// The text begins anew, and a stream of this API can take nothing back.
Problem stream_restarted();

/// The rest of the answer cannot be read: the reader was too slow, or it is kept nowhere any more.
Problem stream_lost();

/// The answer was waited for as long as that is done.
Problem answer_too_late();

}  // namespace millrace::openai
