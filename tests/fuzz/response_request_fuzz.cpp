#include "producer/openai/response_request.h"

#include <algorithm>

#include "producer/openai/error_shape.h"
#include "producer/openai/response_object.h"
#include "producer/openai/stored_items.h"
#include "tests/fuzz/request_parser.h"

namespace {

using namespace millrace;
using Kind = openai::InputItem::Kind;

/// What it was given can be shown, and given to the next, as it was.
void check_items(const Job& job) {
  const auto items = openai::items_of_messages(job.input, openai::instruction_messages(job));
  for (std::size_t place = 0; place < items.size(); ++place)
    fuzz::require(fuzz::one_json_line(openai::input_item_json(job.id, place, items[place])));
  const std::string again = "[" + openai::messages_json(items) + "]";
  fuzz::require(openai::instruction_messages(job) > 0 || again == job.input);
}

Job job_of(openai::ResponseRequest request) {
  std::erase_if(request.input, [](const auto& item) { return item.kind == Kind::reference; });
  openai::give_input(request, "");
  const auto head = openai::response_head(request.job);
  fuzz::require(head && head->background == request.background && head->stored == request.store);
  fuzz::require(fuzz::one_json_line(openai::response_json(*head, {.status = "completed"})));
  check_items(request.job);
  return std::move(request.job);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return fuzz::check_body(data, size, openai::parse_response_request, job_of, openai::error_json);
}
