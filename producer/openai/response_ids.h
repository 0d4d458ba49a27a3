#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "shared/runtime/ids.h"

/// Names of responses and of what is in them. All are made of the job's id, so none is kept.
namespace millrace::openai {

/// `resp_<job id>`
std::string response_id(const JobId& id);
/// The job of such a name; nothing for any other text.
std::optional<JobId> job_of_response(std::string_view response);

/// What a response has in it, by the beginning of its name.
enum class ItemKind : std::uint8_t {
  message,      ///< `msg_`
  call,         ///< `fc_`
  call_output,  ///< `fco_`
  reasoning,    ///< `rs_`
};

/// An item of a job: the one at `place` among those of its kind that the model gave, or, with
/// `input`, at `place` among all that the model was given.
struct ItemName {
  ItemKind kind = ItemKind::message;
  JobId job;
  bool input = false;
  std::uint64_t place = 0;
};

/// `msg_<job id>_0` for what the model gave, `msg_<job id>_i0` for what it was given.
std::string to_string(const ItemName& name);
std::optional<ItemName> parse_item_name(std::string_view text);

}  // namespace millrace::openai
