#pragma once
#include <string>

#include "shared/contract/outcome.h"
#include "shared/runtime/model_prices.h"

namespace millrace {

/// What a conversation keeps of an answer beside its words: columns of `messages`.
struct AnswerNote {
  std::string tools_used;  ///< a JSON list of names, each once, in the order of their first call
  std::string cost;        ///< a decimal; empty where the model has no price or told no tokens
};

/// A prompt token costs its price whether or not the model had it cached.
AnswerNote note_answer(const Outcome& outcome, const ModelPrices& prices);

}  // namespace millrace
