#pragma once
#include <string>
#include <string_view>

#include "shared/object_store.h"
#include "shared/runtime/link_signer.h"

/// Links of stores that have no server of their own: the edge answers them.
namespace millrace {

inline constexpr std::string_view object_link_path = "/v1/objects";

/// `/v1/objects?tenant=…&key=…&expires=…&signature=…`, as ObjectStore::presign. The name stands in
/// the query because clients and proxies may take `..` and `%2F` out of a path.
Result<std::string> object_link(const LinkSigner& signer, const ObjectName& name, WallTime until,
                                WallTime now);

/// Whether the link with these parts opens this object now.
LinkSigner::Verdict verify_object_link(const LinkSigner& signer, const ObjectName& name,
                                       std::string_view expires, std::string_view signature,
                                       WallTime now);

}  // namespace millrace
