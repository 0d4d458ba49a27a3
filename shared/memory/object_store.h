#pragma once
#include <map>
#include <memory>
#include <utility>

#include "shared/memory/link.h"
#include "shared/object_store.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/link_signer.h"

namespace millrace::memory {

/// The objects behind every MemoryObjectStore.
class Objects {
 public:
  struct Object {
    ObjectInfo info;
    std::string bytes;
  };

  void put(const ObjectName& name, Object object);
  Result<std::shared_ptr<const Object>> find(const ObjectName& name, WallTime now) const;
  void remove(const ObjectName& name);
  ObjectPage list(const ObjectFilter& filter, WallTime now) const;

 private:
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const Object>> objects_;
};

}  // namespace millrace::memory

namespace millrace {

/// The ObjectStore of one loop on `memory::Objects`. Objects, link and signer outlive it. A put is
/// held whole until its end; links are paths on the edge (object_link.h).
class MemoryObjectStore final : public ObjectStore {
 public:
  MemoryObjectStore(Clock& clock, memory::Objects& objects, memory::Link& link,
                    const LinkSigner& signer)
      : clock_(clock), objects_(objects), link_(link), signer_(signer) {}

  Task<Result<ObjectInfo>> put(ObjectName name, std::optional<WallTime> expires_at,
                               ByteSource& source) override;
  Task<Result<ObjectInfo>> get(ObjectName name, ByteRange range, ByteSink& sink) override;
  Task<Result<>> remove(ObjectName name) override;
  Task<Result<ObjectPage>> list(ObjectFilter filter) override;
  Result<std::string> presign(ObjectName name, WallTime until) override;

 private:
  Instant give_up() const { return clock_.now() + limits::object_timeout; }

  Clock& clock_;
  memory::Objects& objects_;
  memory::Link& link_;
  const LinkSigner& signer_;
};

}  // namespace millrace
