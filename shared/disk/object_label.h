#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "shared/object_store.h"

namespace millrace::disk {

/// The first bytes of an object's file; its own bytes follow. One block, so that they begin at one.
inline constexpr std::size_t label_bytes = 4096;

struct ObjectLabel {
  std::string tenant;
  ObjectInfo info;
};

/// Little-endian: magic `mrobj` and version (8), CRC-32C of what follows (4), length of the tenant
/// (2) and of the key (2), size (8), created and expires in ms since 1970 (8 each; no expiry is
/// the least value), SHA-256 in hex (64), tenant, key, zeros.
std::string encode_label(const ObjectLabel& label);
/// Nothing where this is no whole label.
std::optional<ObjectLabel> decode_label(std::string_view bytes);

}  // namespace millrace::disk
