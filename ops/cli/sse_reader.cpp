#include "ops/cli/sse_reader.h"

#include <utility>

namespace millrace::cli {

void SseReader::push(std::string_view bytes, const Take& take) {
  for (const char byte : bytes) {
    const bool rest_of_crlf = std::exchange(skip_lf_, false) && byte == '\n';
    if (rest_of_crlf) continue;
    if (byte != '\n' && byte != '\r') {
      line_ += byte;
      continue;
    }
    skip_lf_ = byte == '\r';
    take_line(line_, take);
    line_.clear();
  }
}

void SseReader::reset() {
  line_.clear();
  event_ = {};
  skip_lf_ = false;
}

void SseReader::take_line(std::string_view line, const Take& take) {
  if (line.empty()) {
    const SseEvent event = std::exchange(event_, {});
    if (!event.data.empty()) take(event);
    return;
  }
  const auto colon = std::min(line.find(':'), line.size());
  const auto field = line.substr(0, colon);
  auto value = line.substr(std::min(colon + 1, line.size()));
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") event_.type = value;
  if (field == "id") event_.id = value;
  if (field != "data") return;
  if (!event_.data.empty()) event_.data += '\n';
  event_.data += value;
}

}  // namespace millrace::cli
