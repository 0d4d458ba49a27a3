#include <simdjson.h>

#include <cstdlib>

#include "shared/runtime/json_text.h"
#include "shared/runtime/virtual_clock.h"
#include "workers/llm/turn_reader.h"

/// A model's server may send any bytes, cut anywhere: they give the same text and the same end
/// whatever the cuts are, and only well-formed text and JSON get past the reader.
namespace millrace {
namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

struct Said final : TextSink {
  bool on_text(std::string_view piece) override {
    require(valid_utf8(piece));
    text += piece;
    return true;
  }
  bool on_aside(Aside, std::string_view piece) override { return on_text(piece); }
  Task<> ready() override { co_return; }
  std::string text;
};

struct Read {
  std::string text;
  std::string end;
};

Read read(std::string_view bytes, std::uint64_t cuts) {
  asio::io_context loop{1};
  VirtualClock clock(loop);
  ChunkReader chunks;
  Said said;
  TurnReader reader(clock, chunks, said, {.first_token = 60s, .idle = 30s, .turn = 900s});
  SeededRandom random(cuts);
  while (!bytes.empty()) {
    const std::size_t most = cuts == 0 ? bytes.size() : 1 + random.next() % 40;
    const std::string piece(bytes.substr(0, most));  // its own memory: views must not outlive it
    bytes.remove_prefix(piece.size());
    if (reader.on_body(200, piece) == Flow::stop) break;
  }
  if (!reader.answer()) reader.on_end(200, {});
  require(reader.answer().has_value());
  const auto& answer = *reader.answer();
  if (!answer) {
    require(valid_utf8(answer.error().message) && !answer.error().code.empty());
    return {said.text, answer.error().code};
  }
  simdjson::dom::parser parser;
  simdjson::dom::object usage;
  require(answer->usage.empty() || !parser.parse(answer->usage).get(usage));
  require(valid_utf8(answer->finish_reason) && valid_utf8(answer->model));
  return {said.text, answer->finish_reason + answer->model + answer->usage};
}

}  // namespace
}  // namespace millrace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = millrace::read(bytes, 0);
  const auto cut = millrace::read(bytes, 1 + size);
  millrace::require(whole.text == cut.text && whole.end == cut.end);
  return 0;
}
