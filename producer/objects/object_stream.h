#pragma once
#include <string>

#include "shared/http/message.h"
#include "shared/object_store.h"

namespace millrace {

/// The bytes of a part of an object as a response's body, at most two pieces of them in hand. The
/// store outlives it.
///
/// The last piece is sent once the store has said that this was the object with that hash, whole
/// and sound. Otherwise the response is cut, so nobody takes for whole what is not.
http::StreamBody object_stream(ObjectStore& objects, ObjectName name, ByteRange range,
                               std::string sha256);

}  // namespace millrace
