#include "shared/memory/object_store.h"

#include <algorithm>

#include "shared/object_link.h"
#include "shared/runtime/ids.h"

namespace millrace::memory {

void Objects::put(const ObjectName& name, Object object) {
  objects_[{name.tenant, name.key}] = std::make_shared<const Object>(std::move(object));
}

Result<std::shared_ptr<const Objects::Object>> Objects::find(const ObjectName& name,
                                                             WallTime now) const {
  const auto found = objects_.find({name.tenant, name.key});
  if (found == objects_.end() || found->second->info.expired(now)) return Failure(Errc::not_found);
  return found->second;
}

void Objects::remove(const ObjectName& name) {
  objects_.erase({name.tenant, name.key});
}

ObjectPage Objects::list(const ObjectFilter& filter, WallTime now) const {
  const auto limit = std::min(filter.limit, limits::object_list_max);
  ObjectPage page;
  auto at = objects_.lower_bound({filter.tenant, std::max(filter.prefix, filter.after)});
  for (; at != objects_.end() && at->first.first == filter.tenant; ++at) {
    const auto& info = at->second->info;
    if (info.key > filter.prefix && !info.key.starts_with(filter.prefix)) break;
    if (info.key <= filter.after || info.expired(now)) continue;
    page.more = page.objects.size() == limit;
    if (page.more) break;
    page.objects.push_back(info);
  }
  return page;
}

}  // namespace millrace::memory

namespace millrace {

Task<Result<ObjectInfo>> MemoryObjectStore::put(ObjectName name, std::optional<WallTime> expires_at,
                                                ByteSource& source) {
  if (!name.valid()) co_return Failure(Errc::invalid);
  memory::Objects::Object object;
  for (;;) {
    const auto piece = co_await source.read();
    if (!piece) co_return Failure(piece.error());
    if (piece->size() > limits::object_piece_bytes_max) co_return Failure(Errc::invalid);
    if (piece->empty()) break;
    object.bytes += *piece;
  }
  object.info = {.key = name.key,
                 .size = object.bytes.size(),
                 .sha256 = fingerprint(object.bytes),
                 .created_at = clock_.wall(),
                 .expires_at = expires_at};
  const auto info = object.info;
  const auto kept = co_await link_.call(
      [&objects = objects_, name, object = std::move(object)] { objects.put(name, object); },
      give_up());
  if (!kept) co_return Failure(kept.error());
  co_return info;
}

Task<Result<ObjectInfo>> MemoryObjectStore::get(ObjectName name, ByteRange range, ByteSink& sink) {
  if (!name.valid()) co_return Failure(Errc::invalid);
  using Found = std::shared_ptr<const memory::Objects::Object>;
  const auto found = co_await memory::ask<Found>(
      link_, [&objects = objects_, name, now = clock_.wall()] { return objects.find(name, now); },
      give_up());
  if (!found) co_return Failure(found.error());
  const auto& object = **found;
  const auto from = std::min(range.from, object.info.size);
  auto left = std::min(range.size, object.info.size - from);
  for (auto at = from; left > 0;) {
    auto piece = object.bytes.substr(at, std::min(left, limits::object_piece_bytes_max));
    at += piece.size();
    left -= piece.size();
    const auto written = co_await sink.write(std::move(piece));
    if (!written) co_return Failure(written.error());
  }
  co_return object.info;
}

Task<Result<>> MemoryObjectStore::remove(ObjectName name) {
  if (!name.valid()) co_return Failure(Errc::invalid);
  co_return co_await link_.call([&objects = objects_, name] { objects.remove(name); }, give_up());
}

Task<Result<ObjectPage>> MemoryObjectStore::list(ObjectFilter filter) {
  if (filter.tenant.empty()) co_return Failure(Errc::invalid);
  co_return co_await memory::ask<ObjectPage>(
      link_,
      [&objects = objects_, filter, now = clock_.wall()] {
        return Result<ObjectPage>(objects.list(filter, now));
      },
      give_up());
}

Result<std::string> MemoryObjectStore::presign(ObjectName name, WallTime until) {
  return object_link(signer_, name, until, clock_.wall());
}

}  // namespace millrace
