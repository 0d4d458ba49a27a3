#include "producer/objects/object_stream.h"

#include "shared/runtime/log.h"

namespace millrace {
namespace {

/// Passes on all it is given but the last piece.
class HoldingSink final : public ByteSink {
 public:
  explicit HoldingSink(http::StreamWriter& out) : out_(out) {}

  Task<Result<>> write(std::string piece) override {
    std::swap(piece, held_);
    const auto written = co_await out_.write(piece);
    co_return written;
  }
  Task<Result<>> let_go() { return out_.write(held_); }

 private:
  http::StreamWriter& out_;
  std::string held_;
};

Task<> send(ObjectStore& objects, ObjectName name, ByteRange range, std::string sha256,
            http::StreamWriter& out) {
  HoldingSink sink(out);
  const auto info = co_await objects.get(name, range, sink);
  if (info && info->sha256 == sha256) {
    co_await sink.let_go();
    co_return;
  }
  if (!out.closed()) {
    log::warn("object_answer_cut",
              {{"tenant", name.tenant},
               {"key", name.key},
               {"error", info ? "replaced meanwhile" : to_string(info.error())}});
  }
  throw http::StreamCut();
}

}  // namespace

http::StreamBody object_stream(ObjectStore& objects, ObjectName name, ByteRange range,
                               std::string sha256) {
  return [&objects, name = std::move(name), range, sha256 = std::move(sha256)](
             http::StreamWriter& out) { return send(objects, name, range, sha256, out); };
}

}  // namespace millrace
