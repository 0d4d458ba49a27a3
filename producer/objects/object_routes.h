#pragma once
#include "shared/http/router.h"
#include "shared/object_store.h"
#include "shared/runtime/clock.h"
#include "shared/runtime/link_signer.h"

namespace millrace {

/// `GET /v1/objects?tenant=&key=&expires=&signature=`: what a link of `ObjectStore::presign` opens,
/// and nothing else does. One range of bytes may be asked for (`Range`, `If-Range`). The bytes are
/// handed out as a file of no known type: whoever put them may have put a web page.
///
/// One a loop; outlives the server that uses its router, and is outlived by what it is given.
class ObjectRoutes {
 public:
  ObjectRoutes(ObjectStore& objects, const LinkSigner& signer, Clock& clock)
      : objects_(objects), signer_(signer), clock_(clock) {}
  ObjectRoutes(const ObjectRoutes&) = delete;
  ObjectRoutes& operator=(const ObjectRoutes&) = delete;

  void add_to(http::Router& router);

 private:
  Task<http::Response> get_object(http::Request& request);

  ObjectStore& objects_;
  const LinkSigner& signer_;
  Clock& clock_;
};

}  // namespace millrace
