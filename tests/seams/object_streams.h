#pragma once
#include <algorithm>
#include <string>

#include "shared/object_store.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/nursery.h"

/// Sources and sinks for the tests of object stores, well and badly behaved.
namespace millrace {

/// Gives a text in pieces.
class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text, std::size_t piece = limits::object_piece_bytes_max)
      : text_(std::move(text)), piece_(piece) {}
  Task<Result<std::string>> read() override {
    auto next = text_.substr(at_, piece_);
    at_ += next.size();
    co_return next;
  }

 private:
  std::string text_;
  std::size_t piece_;
  std::size_t at_ = 0;
};

class TextSink final : public ByteSink {
 public:
  std::string text;
  std::size_t largest = 0;
  Task<Result<>> write(std::string piece) override {
    largest = std::max(largest, piece.size());
    text += piece;
    co_return Result<>();
  }
};

/// Gives a piece some times, then fails.
class BrokenSource final : public ByteSource {
 public:
  BrokenSource(std::string piece, int times, Errc error)
      : piece_(std::move(piece)), left_(times), error_(error) {}
  Task<Result<std::string>> read() override {
    if (left_-- > 0) co_return piece_;
    co_return Failure(error_);
  }

 private:
  std::string piece_;
  int left_;
  Errc error_;
};

/// Gives one piece, then stays away until it is cancelled.
class StuckSource final : public ByteSource {
 public:
  StuckSource(Clock& clock, std::string piece)
      : stuck(clock), clock_(clock), piece_(std::move(piece)) {}
  Signal stuck;
  Task<Result<std::string>> read() override {
    if (!piece_.empty()) co_return std::exchange(piece_, {});
    stuck.notify();
    co_await clock_.sleep_for(24h);
    co_return std::string();
  }

 private:
  Clock& clock_;
  std::string piece_;
};

/// Gives more at once than is allowed.
class WideSource final : public ByteSource {
 public:
  Task<Result<std::string>> read() override {
    co_return std::string(limits::object_piece_bytes_max + 1, 'x');
  }
};

/// Looks, between its last piece and its end, at what the name stands for.
class LookingSource final : public ByteSource {
 public:
  LookingSource(ObjectStore& store, ObjectName name, std::string piece)
      : store_(store), name_(std::move(name)), piece_(std::move(piece)) {}
  std::string seen;
  Task<Result<std::string>> read() override {
    if (!piece_.empty()) co_return std::exchange(piece_, {});
    TextSink sink;
    const auto found = co_await store_.get(name_, {}, sink);
    seen = found ? sink.text : std::string(to_string(found.error()));
    co_return std::string();
  }

 private:
  ObjectStore& store_;
  ObjectName name_;
  std::string piece_;
};

/// Puts something else in the place of what it reads, once it has read the beginning.
class ReplacingSink final : public ByteSink {
 public:
  ReplacingSink(ObjectStore& store, ObjectName name, std::string other)
      : store_(store), name_(std::move(name)), other_(std::move(other)) {}
  std::string text;
  Task<Result<>> write(std::string piece) override {
    text += piece;
    if (other_.empty()) co_return Result<>();
    TextSource source(std::exchange(other_, {}));
    const auto replaced = co_await store_.put(name_, {}, source);
    if (!replaced) co_return Failure(replaced.error());
    co_return Result<>();
  }

 private:
  ObjectStore& store_;
  ObjectName name_;
  std::string other_;
};

/// Takes so many pieces and refuses the last of them.
class FullSink final : public ByteSink {
 public:
  explicit FullSink(std::size_t pieces_max) : pieces_max_(pieces_max) {}
  std::size_t pieces = 0;
  Task<Result<>> write(std::string) override {
    if (++pieces >= pieces_max_) co_return Failure(Errc::closed);
    co_return Result<>();
  }

 private:
  std::size_t pieces_max_;
};

inline Task<> put_and_get(ObjectStore& store, ObjectName name, std::string bytes,
                          std::string& answer) {
  TextSource source(std::move(bytes));
  const auto made = co_await store.put(name, {}, source);
  TextSink sink;
  const auto found = co_await store.get(name, {}, sink);
  answer = made && found ? sink.text : "failed";
}

inline Task<> put_alone(ObjectStore& store, ObjectName name, ByteSource& source) {
  (void)co_await store.put(std::move(name), {}, source);
}

inline Task<> cancelled_put(Clock& clock, ObjectStore& store, ObjectName name,
                            StuckSource& source) {
  Nursery nursery(clock);
  nursery.start(put_alone(store, std::move(name), source));
  co_await source.stuck.wait();
  nursery.stop();
  co_await nursery.join();
}

}  // namespace millrace
