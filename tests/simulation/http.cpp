#include "tests/simulation/http.h"

#include "shared/runtime/limits.h"

namespace millrace::sim {
namespace {
constexpr std::uint64_t one_way_us_max = 800;
}  // namespace

Task<bool> Exchange::wait(Instant until) {
  if (cut_ || ended_ || !received_.empty()) co_return true;
  co_return co_await news_.wait_until(until);
}

void Exchange::leave() {
  if (left_) return;
  left_ = true;
  world_.after(world_.chance.us(50, one_way_us_max), [self = shared_from_this()] {
    if (self->heard_left_) self->heard_left_();
  });
}

void Exchange::arrive(std::function<void(Exchange&)> what) {
  const Instant when = world_.now() + world_.chance.us(50, one_way_us_max);
  last_arrival_ = std::max(last_arrival_, when);
  world_.at(last_arrival_, [self = shared_from_this(), what = std::move(what)] {
    if (self->left_ || self->cut_) return;
    what(*self);
    self->news_.notify();
  });
}

void Exchange::answer(int status, std::string body, bool streams) {
  arrive([status, body = std::move(body), streams](Exchange& here) {
    here.answered_ = true;
    here.status_ = status;
    here.received_ = body;
    here.ended_ = !streams;
  });
}

void Exchange::send(std::string bytes) {
  arrive([bytes = std::move(bytes)](Exchange& here) {
    const std::size_t taken = std::min(bytes.size(), here.bytes_left_);
    here.received_.append(bytes, 0, taken);
    if (here.bytes_left_ == std::string::npos) return;
    here.bytes_left_ -= taken;
    if (here.bytes_left_ > 0) return;
    here.cut_ = true;
    if (here.heard_left_) here.heard_left_();
  });
}

void Exchange::end() {
  arrive([](Exchange& here) { here.ended_ = true; });
}

void Exchange::break_off() {
  arrive([](Exchange& here) { here.cut_ = true; });
}

ExchangeWriter::ExchangeWriter(Process& edge, std::shared_ptr<Exchange> exchange)
    : edge_(edge), exchange_(std::move(exchange)), wake_(edge.clock) {
  closed_ = exchange_->client_left();
  exchange_->on_left([this] {
    closed_ = true;
    wake_.notify();
  });
}

ExchangeWriter::~ExchangeWriter() {
  exchange_->on_left({});
}

Task<Result<>> ExchangeWriter::write(std::string_view bytes) {
  if (closed_ || edge_.life->dead) co_return Failure(Errc::closed);
  const Instant patience_ends = edge_.clock.now() + limits::reader_stall_max;
  const Instant reads = exchange_->reads_at();
  if (reads > edge_.clock.now()) co_await edge_.clock.sleep_until(std::min(reads, patience_ends));
  if (reads > patience_ends) co_return Failure(Errc::timed_out);
  if (closed_ || edge_.life->dead) co_return Failure(Errc::closed);
  exchange_->send(std::string(bytes));
  co_await edge_.clock.sleep_for(20us);
  if (closed_) co_return Failure(Errc::closed);
  co_return Result<>{};
}

}  // namespace millrace::sim
