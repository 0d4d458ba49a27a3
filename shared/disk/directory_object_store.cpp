#include "shared/disk/directory_object_store.h"

#include "shared/disk/disk_caller.h"
#include "shared/object_link.h"
#include "shared/runtime/log.h"

namespace millrace {
namespace {

constexpr Duration sweep_every = 1h;
/// A sweep takes as long as it takes: nobody waits for it.
constexpr Duration sweep_patience = 24h;

/// Something that a put or a get has in hand until its end, however that comes.
template <class T>
class InHand {
 public:
  InHand(disk::DiskCaller& caller, std::shared_ptr<T> held)
      : caller_(caller), held_(std::move(held)) {}
  ~InHand() { caller_.let_go(std::move(held_)); }
  InHand(const InHand&) = delete;
  InHand& operator=(const InHand&) = delete;

  const std::shared_ptr<T>& operator*() const { return held_; }

 private:
  disk::DiskCaller& caller_;
  std::shared_ptr<T> held_;
};

}  // namespace

class DirectoryObjectStore::Port final : public ObjectStore {
 public:
  Port(Clock& clock, DirectoryObjectStore& all)
      : folder_(all.folder_), signer_(all.signer_), caller_(clock, all.threads_) {}

  Task<Result<ObjectInfo>> put(ObjectName name, std::optional<WallTime> expires_at,
                               ByteSource& source) override {
    if (!name.valid()) co_return Failure(Errc::invalid);
    auto made = co_await ask<std::shared_ptr<disk::ObjectDraft>>(
        [&folder = folder_, name, expires_at] { return folder.draft(name, expires_at); });
    if (!made) co_return Failure(made.error());
    const InHand draft(caller_, std::move(*made));
    for (;;) {
      auto piece = co_await source.read();
      if (!piece) co_return Failure(piece.error());
      if (piece->size() > limits::object_piece_bytes_max) co_return Failure(Errc::invalid);
      if (piece->empty()) break;
      const auto written = co_await ask<void>(
          [draft = *draft, bytes = std::move(*piece)] { return draft->write(bytes); });
      if (!written) co_return Failure(written.error());
    }
    co_return co_await ask<ObjectInfo>(
        [draft = *draft, now = caller_.clock().wall()] { return draft->keep(now); });
  }

  Task<Result<ObjectInfo>> get(ObjectName name, ByteRange range, ByteSink& sink) override {
    if (!name.valid()) co_return Failure(Errc::invalid);
    auto found = co_await ask<std::shared_ptr<disk::OpenObject>>(
        [&folder = folder_, name, range, now = caller_.clock().wall()] {
          return folder.open(name, range, now);
        });
    if (!found) co_return Failure(found.error());
    const InHand object(caller_, std::move(*found));
    for (;;) {
      auto piece = co_await ask<std::string>([object = *object] { return object->read(); });
      if (!piece) co_return Failure(piece.error());
      if (piece->empty()) co_return (*object)->info();
      const auto written = co_await sink.write(std::move(*piece));
      if (!written) co_return Failure(written.error());
    }
  }

  Task<Result<>> remove(ObjectName name) override {
    if (!name.valid()) co_return Failure(Errc::invalid);
    co_return co_await ask<void>([&folder = folder_, name] { return folder.remove(name); });
  }

  Task<Result<ObjectPage>> list(ObjectFilter filter) override {
    if (filter.tenant.empty()) co_return Failure(Errc::invalid);
    co_return co_await ask<ObjectPage>([&folder = folder_, filter, now = caller_.clock().wall()] {
      return folder.list(filter, now);
    });
  }

  Result<std::string> presign(ObjectName name, WallTime until) override {
    return object_link(signer_, name, until, caller_.clock().wall());
  }

 private:
  template <class T, class Work>
  Task<Result<T>> ask(Work work) {
    return caller_.ask<T>(limits::object_timeout, std::move(work));
  }

  disk::ObjectFolder& folder_;
  const LinkSigner& signer_;
  disk::DiskCaller caller_;
};

std::unique_ptr<ObjectStore> DirectoryObjectStore::port(Clock& clock) {
  return std::make_unique<Port>(clock, *this);
}

Task<> DirectoryObjectStore::run(Clock& clock) {
  disk::DiskCaller caller(clock, threads_);
  for (;;) {
    const auto removed =
        co_await caller.ask<std::size_t>(sweep_patience, [this, now = clock.wall()] {
          return Result<std::size_t>(folder_.sweep(now, [this] { return threads_.stopping(); }));
        });
    if (removed && *removed > 0) log::info("objects_expired", {{"removed", *removed}});
    co_await clock.sleep_for(sweep_every);
  }
}

}  // namespace millrace
