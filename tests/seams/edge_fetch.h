#pragma once
#include <string>

#include "producer/objects/object_routes.h"
#include "tests/seams/edge_answer.h"
#include "tests/seams/object_store_suite.h"

namespace millrace {

/// What the client of an edge gets by a link, for the worlds of stores whose links are paths on it.
inline ObjectStoreWorld::Fetched edge_fetch(TestLoop& loop, ObjectStore& objects,
                                            const LinkSigner& signer, const std::string& link,
                                            Duration later) {
  AheadClock clock(loop.clock(), later);
  ObjectRoutes routes(objects, signer, clock);
  http::Router router;
  routes.add_to(router);
  const auto response = answer_of(loop, router, link);
  if (!response.stream) return {response.status, response.body};
  KeepingWriter writer(loop.clock());
  loop.run_one(response.stream(writer));
  EXPECT_EQ(writer.bytes.size(), response.stream_bytes);
  return {response.status, std::move(writer.bytes)};
}

}  // namespace millrace
