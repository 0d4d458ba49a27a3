#include "workers/pool/large_inputs.h"

#include <algorithm>

#include "shared/runtime/limits.h"
#include "shared/runtime/log.h"

namespace millrace {
namespace {

/// Between two questions to objects that are away.
constexpr Duration away_wait = 1s;

/// Takes what was promised and no byte more.
class InputSink final : public ByteSink {
 public:
  explicit InputSink(std::uint64_t size) : size_(size) { text_.reserve(size); }

  Task<Result<>> write(std::string piece) override {
    if (text_.size() + piece.size() > size_) co_return Failure(Errc::corrupt);
    text_ += piece;
    co_return Result<>();
  }
  std::string take() { return std::move(text_); }

 private:
  std::uint64_t size_;
  std::string text_;
};

}  // namespace

WholeJob::Place::~Place() {
  taken -= bytes;
  changed.notify();
}

/// A place in the line of those that wait for room.
class LargeInputs::InLine {
 public:
  explicit InLine(LargeInputs& all) : all_(all), at_(all.line_.insert(all.line_.end(), this)) {}
  ~InLine() {
    all_.line_.erase(at_);
    all_.changed_.notify();
  }
  InLine(const InLine&) = delete;
  InLine& operator=(const InLine&) = delete;

  bool first() const { return all_.line_.front() == this; }

 private:
  LargeInputs& all_;
  std::list<const InLine*>::iterator at_;
};

bool LargeInputs::has_room_for(std::size_t bytes) const {
  return taken_ == 0 || taken_ + bytes <= limits::large_inputs_bytes_max;
}

Task<std::unique_ptr<WholeJob::Place>> LargeInputs::room_for(std::size_t bytes) {
  const InLine waiting(*this);
  while (!waiting.first() || !has_room_for(bytes)) co_await changed_.wait();
  taken_ += bytes;
  co_return std::make_unique<WholeJob::Place>(taken_, changed_, bytes);
}

Task<Result<WholeJob>> LargeInputs::fetch(const Job& job) {
  const InputRef ref = job.input_ref.value();
  WholeJob whole;
  whole.place_ = co_await room_for(ref.size);
  for (;;) {
    InputSink sink(ref.size);
    const auto got = co_await objects_.get({job.tenant, ref.key}, {}, sink);
    if (got && (got->size != ref.size || got->sha256 != ref.sha256))
      co_return Failure(Errc::corrupt);
    if (got) {
      whole.job_ = job;
      whole.job_.input = sink.take();
      co_return whole;
    }
    if (!retryable(got.error())) co_return Failure(got.error());
    log::warn("input_not_fetched", {{"job", job.id.str()}, {"error", to_string(got.error())}});
    co_await clock_.sleep_for(away_wait);
  }
}

}  // namespace millrace
