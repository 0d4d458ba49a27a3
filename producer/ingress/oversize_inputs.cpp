#include "producer/ingress/oversize_inputs.h"

#include "producer/ingress/limits.h"
#include "shared/runtime/log.h"

namespace millrace {
namespace {

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string_view text) : rest_(text) {}

  Task<Result<std::string>> read() override {
    const auto piece = rest_.substr(0, limits::object_piece_bytes_max);
    rest_.remove_prefix(piece.size());
    co_return std::string(piece);
  }

 private:
  std::string_view rest_;
};

bool oversize(const Job& job) {
  return job.input.size() > limits::input_bytes_max;
}

}  // namespace

OversizeInput::OversizeInput(std::string json, std::size_t& on_their_way)
    : json_(std::move(json)), on_their_way_(on_their_way) {
  on_their_way_ += json_.size();
}

bool OversizeInput::is(const InputRef& ref) const {
  return ref.size == json_.size() && ref.sha256 == fingerprint(json_);
}

bool OversizeInputs::has_room_for(const Job& job) const {
  return !oversize(job) ||
         on_their_way_ + job.input.size() <= ingress_limits::oversize_inputs_bytes_max;
}

void OversizeInputs::take(Job& job, std::optional<OversizeInput>& into) {
  if (oversize(job)) into.emplace(std::exchange(job.input, {}), on_their_way_);
}

Task<Result<>> OversizeInputs::keep(const OversizeInput& input, Job& job) {
  const std::string key = "inputs/" + job.id.str() + "/" + new_token(random_).str();
  TextSource source(input.json());
  const auto put =
      co_await objects_.put({job.tenant, key}, job.deadline + limits::large_input_kept, source);
  if (!put && put.error() != Errc::timed_out) co_return Failure(put.error());
  job.input_ref = InputRef{.key = key, .size = input.json().size(), .sha256 = {}};
  if (!put) {
    co_await drop(job);
    co_return Failure(put.error());
  }
  job.input_ref->sha256 = put->sha256;
  co_return Result<>();
}

Task<> OversizeInputs::drop(Job job) {
  const auto removed = co_await objects_.remove({job.tenant, job.input_ref.value().key});
  if (!removed)
    log::warn("refused_input_not_removed",
              {{"job", job.id.str()}, {"error", to_string(removed.error())}});
}

}  // namespace millrace
