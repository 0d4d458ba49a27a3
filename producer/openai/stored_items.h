#pragma once
#include <string>
#include <string_view>

#include "producer/openai/response_ids.h"
#include "producer/openai/response_input.h"
#include "shared/contract/outcome.h"

/// What a model was given and gave, read back from a job: the input items of a response, and the
/// context of the one that follows it.
namespace millrace::openai {

/// Of a job's messages, from `first` on.
InputItems items_of_messages(std::string_view messages, std::size_t first);
/// Of a job that succeeded: what was said, then the calls.
InputItems items_of_outcome(const Outcome& outcome);

/// The name of the item at `place` of a job's input.
std::string input_item_name(const JobId& job, std::size_t place, const InputItem& item);
/// It as the API shows it.
std::string input_item_json(const JobId& job, std::size_t place, const InputItem& item);

}  // namespace millrace::openai
