#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "shared/object_store.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/ids.h"

namespace millrace {

/// An ObjectStore in a map, on virtual time, with faults switched on by the test. For what stands
/// on objects; what an ObjectStore promises is in object_store_suite.h.
class FakeObjects final : public ObjectStore {
 public:
  explicit FakeObjects(Clock& clock) : clock_(clock) {}

  struct Kept {
    ObjectInfo info;
    std::string bytes;
  };
  std::map<std::pair<std::string, std::string>, Kept> kept;  ///< by tenant and key
  std::optional<Errc> fails;                                 ///< every call, after `latency`
  Duration latency = 1ms;
  std::size_t gets = 0;

  Task<Result<ObjectInfo>> put(ObjectName name, std::optional<WallTime> expires_at,
                               ByteSource& source) override {
    Kept made;
    for (bool more = true; more;) {
      const auto piece = co_await source.read();
      if (!piece) co_return Failure(piece.error());
      if (piece->size() > limits::object_piece_bytes_max) co_return Failure(Errc::invalid);
      more = !piece->empty();
      made.bytes += *piece;
    }
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    made.info = {.key = name.key,
                 .size = made.bytes.size(),
                 .sha256 = fingerprint(made.bytes),
                 .created_at = clock_.wall(),
                 .expires_at = expires_at};
    const auto info = made.info;
    kept[{name.tenant, name.key}] = std::move(made);
    co_return info;
  }

  Task<Result<ObjectInfo>> get(ObjectName name, ByteRange, ByteSink& sink) override {
    ++gets;
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    const auto found = kept.find({name.tenant, name.key});
    if (found == kept.end()) co_return Failure(Errc::not_found);
    const Kept object = found->second;
    for (std::size_t at = 0; at < object.bytes.size(); at += limits::object_piece_bytes_max) {
      const auto written =
          co_await sink.write(object.bytes.substr(at, limits::object_piece_bytes_max));
      if (!written) co_return Failure(written.error());
    }
    co_return object.info;
  }

  Task<Result<>> remove(ObjectName name) override {
    co_await clock_.sleep_for(latency);
    if (fails) co_return Failure(*fails);
    kept.erase({name.tenant, name.key});
    co_return Result<>();
  }

  Result<std::string> presign(ObjectName name, WallTime until) override {
    if (fails) return Failure(*fails);
    return "/" + name.key + "?until=" + to_rfc3339(until);
  }

  Task<Result<ObjectPage>> list(ObjectFilter) override { co_return ObjectPage{}; }

 private:
  Clock& clock_;
};

}  // namespace millrace
