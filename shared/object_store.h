#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "shared/runtime/error.h"
#include "shared/runtime/limits.h"
#include "shared/runtime/task.h"
#include "shared/runtime/time.h"

namespace millrace {

/// What an object is called. Tenant and key are labels and nothing else: no byte of them ever
/// becomes part of a path, and no tenant can name another's object. 1 to
/// `limits::name_bytes_max` and 1 to `limits::object_key_bytes_max` bytes.
struct ObjectName {
  std::string tenant;
  std::string key;

  bool valid() const {
    return !tenant.empty() && tenant.size() <= limits::name_bytes_max && !key.empty() &&
           key.size() <= limits::object_key_bytes_max;
  }
};

/// What is kept beside an object's bytes.
struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  std::string sha256;  ///< of all its bytes, lower-case hex
  WallTime created_at{};
  std::optional<WallTime> expires_at;

  bool expired(WallTime now) const { return expires_at && *expires_at <= now; }
};

/// A part of an object: what of it lies beyond the end is left out.
struct ByteRange {
  std::uint64_t from = 0;
  std::uint64_t size = std::numeric_limits<std::uint64_t>::max();
};

/// Gives the bytes of an object to be, piece by piece. Belongs to the caller's loop.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The next bytes; empty at the end. A failure ends the put with it. Pieces of any size up to
  /// `limits::object_piece_bytes_max` serve; larger ones are `invalid`.
  virtual Task<Result<std::string>> read() = 0;
};

/// Takes the bytes of an object in order. Belongs to the caller's loop.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  /// At most `limits::object_piece_bytes_max`, never empty; no more come before this returns. A
  /// failure ends the get with it.
  virtual Task<Result<>> write(std::string piece) = 0;
};

struct ObjectFilter {
  std::string tenant;
  std::string prefix = {};                        ///< of the key; empty: all
  std::string after = {};                         ///< only keys behind this one
  std::uint32_t limit = limits::object_list_max;  ///< at most that many are given
};

struct ObjectPage {
  std::vector<ObjectInfo> objects;
  bool more = false;  ///< ask again, after the last of these
};

/// Bytes too large for a message or a row, by name. One object a loop.
///
/// Whoever waits for a piece of work does so at most `limits::object_timeout`. `unavailable`,
/// `timed_out`: the store is away; `full`: its disk is; `overloaded`: too much is asked at once;
/// `invalid`: no such name can be.
class ObjectStore {
 public:
  static constexpr auto link_valid_max = 7 * 24h;  ///< S3 allows no longer

  virtual ~ObjectStore() = default;

  /// Keeps all the source gives, in the place of what the name stood for before; durable on
  /// return. Until then, and for ever if it fails (`timed_out`: cannot be told), readers find
  /// what was there before. From `expires_at` on it is not found, and removed soon after.
  virtual Task<Result<ObjectInfo>> put(ObjectName name, std::optional<WallTime> expires_at,
                                       ByteSource& source) = 0;

  /// Gives the sink a part of an object; one put later changes nothing of what is being read. An
  /// empty range only asks. `not_found`; `corrupt`: what is stored is not what was put (a whole
  /// object is checked against its SHA-256, so the sink has to wait for the answer to believe).
  virtual Task<Result<ObjectInfo>> get(ObjectName name, ByteRange range, ByteSink& sink) = 0;

  /// Durable on return; the same for an object that is not there.
  virtual Task<Result<>> remove(ObjectName name) = 0;

  /// A tenant's objects, in the order of their keys' bytes.
  virtual Task<Result<ObjectPage>> list(ObjectFilter filter) = 0;

  /// A link that gives whoever holds it this object by GET, and nothing else: whole or a range, as
  /// it stands then, until `until` (rounded up to a second). Changed in any way it gives 403, of an
  /// object that is not there 404. A URL, or a path that every edge of this installation serves.
  ///
  /// Asks nobody and promises no object. `invalid`: a name that is not valid, not UTF-8 or has a
  /// NUL; `until` that is past, or further off than `link_valid_max`. `unavailable`: this process
  /// has no secret to sign with.
  virtual Result<std::string> presign(ObjectName name, WallTime until) = 0;
};

}  // namespace millrace
