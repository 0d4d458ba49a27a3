#include <simdjson.h>

#include "shared/contract/event.h"

namespace millrace {
namespace {

namespace dom = simdjson::dom;

/// How long the text was once `seq` had been taken.
std::size_t length_at(const std::vector<std::pair<Seq, std::size_t>>& marks, Seq seq) {
  std::size_t length = 0;
  for (const auto& [mark, bytes] : marks) {
    if (mark > seq) break;
    length = bytes;
  }
  return length;
}

}  // namespace

void TextFold::take(const EventLine& event) {
  last_ = event.seq;
  const bool relevant = event.type == "delta" || event.type == "rewind" || event.type == "snapshot";
  if (!relevant) return;
  thread_local dom::parser parser;
  dom::element json;
  if (parser.parse(event.json.data(), event.json.size()).get(json)) return;
  std::string_view text;
  if (event.type == "rewind") {
    std::uint64_t to = 0;
    if (json["to"].get(to)) return;
    text_.resize(length_at(marks_, to));
    std::erase_if(marks_, [to](const auto& mark) { return mark.first > to; });
  } else if (!json["text"].get(text)) {
    if (event.type == "snapshot") {
      // What stood before it is known to nobody who was given it: a rewind to there is to nothing.
      text_.clear();
      marks_.clear();
    }
    text_ += text;
  }
  marks_.emplace_back(event.seq, text_.size());
}

}  // namespace millrace
