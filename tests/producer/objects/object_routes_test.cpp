#include "producer/objects/object_routes.h"

#include <gtest/gtest.h>

#include <optional>

#include "shared/memory/object_store.h"
#include "shared/runtime/ids.h"
#include "tests/seams/edge_answer.h"
#include "tests/seams/object_streams.h"
#include "tests/shared/memory/direct_link.h"

namespace millrace {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// A store that others may change while it is read, and that fails on demand.
class UnrulyStore final : public ObjectStore {
 public:
  explicit UnrulyStore(ObjectStore& objects) : objects_(objects) {}
  std::optional<Errc> fails;        ///< every get
  std::optional<Errc> ends_with;    ///< each get of bytes, behind the last of them
  std::string* replaced = nullptr;  ///< what stands there once its bytes are asked for

  Task<Result<ObjectInfo>> get(ObjectName name, ByteRange range, ByteSink& sink) override {
    if (fails) co_return Failure(*fails);
    if (replaced && range.size > 0) {
      TextSource source(*replaced);
      (void)co_await objects_.put(name, {}, source);
    }
    auto info = co_await objects_.get(name, range, sink);
    if (ends_with && range.size > 0) co_return Failure(*ends_with);
    co_return info;
  }
  Task<Result<ObjectInfo>> put(ObjectName name, std::optional<WallTime> expires_at,
                               ByteSource& source) override {
    return objects_.put(std::move(name), expires_at, source);
  }
  Task<Result<>> remove(ObjectName name) override { return objects_.remove(std::move(name)); }
  Task<Result<ObjectPage>> list(ObjectFilter filter) override {
    return objects_.list(std::move(filter));
  }
  Result<std::string> presign(ObjectName name, WallTime until) override {
    return objects_.presign(std::move(name), until);
  }

 private:
  ObjectStore& objects_;
};

class ObjectRoutesTest : public testing::Test {
 protected:
  ObjectRoutesTest() { routes_.add_to(router_); }

  std::string link_to(const std::string& text) {
    TextSource source(text);
    const ObjectName name{"t", "k"};
    EXPECT_TRUE(loop.get(store.put(name, {}, source)));
    return store.presign(name, loop.clock().wall() + 1h).value_or("");
  }
  http::Response get(const std::string& target, Headers headers = {}) {
    return answer_of(loop, router_, target, std::move(headers));
  }
  std::string body_of(const http::Response& response) {
    KeepingWriter writer(loop.clock());
    loop.run_one(response.stream(writer));
    EXPECT_EQ(writer.bytes.size(), response.stream_bytes);
    return writer.bytes;
  }
  /// What was sent before the response was cut.
  std::string cut_body_of(const http::Response& response) {
    KeepingWriter writer(loop.clock());
    EXPECT_THROW(loop.run_one(response.stream(writer)), http::StreamCut);
    return writer.bytes;
  }
  static std::string field(const http::Response& response, std::string_view name) {
    for (const auto& [each, value] : response.headers)
      if (each == name) return value;
    return "";
  }

  TestLoop loop;
  std::recursive_mutex mutex_;
  memory::DirectLink link_{loop.clock(), mutex_};
  memory::Objects objects_;
  const LinkSigner signer_{"a secret"};
  MemoryObjectStore kept_{loop.clock(), objects_, link_, signer_};
  UnrulyStore store{kept_};
  ObjectRoutes routes_{store, signer_, loop.clock()};
  http::Router router_;
};

TEST_F(ObjectRoutesTest, AnObjectIsAFileOfNoKnownTypeWithItsHashAsTag) {
  const auto got = get(link_to("<script>"));
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.content_type, "application/octet-stream");
  EXPECT_EQ(field(got, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(field(got, "Content-Disposition"), "attachment");
  EXPECT_EQ(field(got, "Cache-Control"), "no-store");
  EXPECT_EQ(field(got, "Accept-Ranges"), "bytes");
  EXPECT_EQ(field(got, "ETag"), "\"" + fingerprint("<script>") + "\"");
  EXPECT_EQ(field(got, "Content-Range"), "");
  EXPECT_EQ(body_of(got), "<script>");
}

TEST_F(ObjectRoutesTest, APartOfAnObjectIs206) {
  const auto link = link_to("0123456789");
  const auto got = get(link, {{"range", "bytes=2-5"}});
  EXPECT_EQ(got.status, 206);
  EXPECT_EQ(field(got, "Content-Range"), "bytes 2-5/10");
  EXPECT_EQ(field(got, "ETag"), "\"" + fingerprint("0123456789") + "\"");
  EXPECT_EQ(body_of(got), "2345");
  EXPECT_EQ(body_of(get(link, {{"range", "bytes=-3"}})), "789");
}

TEST_F(ObjectRoutesTest, ARangeBeyondTheEndIs416WithTheSize) {
  const auto got = get(link_to("0123456789"), {{"range", "bytes=10-"}});
  EXPECT_EQ(got.status, 416);
  EXPECT_EQ(field(got, "Content-Range"), "bytes */10");
  EXPECT_EQ(got.content_type, "application/problem+json");
}

TEST_F(ObjectRoutesTest, APartOfWhatStoodThereBeforeIsAnsweredWithTheWhole) {
  const auto link = link_to("0123456789");
  const auto tag = "\"" + fingerprint("0123456789") + "\"";
  EXPECT_EQ(get(link, {{"range", "bytes=2-5"}, {"if-range", tag}}).status, 206);
  EXPECT_EQ(get(link, {{"range", "bytes=2-5"}, {"if-range", "\"other\""}}).status, 200);
}

TEST_F(ObjectRoutesTest, ARefusalSaysWhetherTheLinkIsOldOrWrong) {
  const auto link = link_to("x");
  const auto wrong = get(link + "0");
  EXPECT_EQ(wrong.status, 403);
  EXPECT_TRUE(wrong.body.contains(R"("code":"bad_signature")")) << wrong.body;
  AheadClock later(loop.clock(), 2h);
  ObjectRoutes routes(store, signer_, later);
  http::Router router;
  routes.add_to(router);
  const auto old = answer_of(loop, router, link);
  EXPECT_EQ(old.status, 403);
  EXPECT_TRUE(old.body.contains(R"("code":"link_expired")")) << old.body;
  EXPECT_EQ(get("/v1/objects?tenant=t&key=k").status, 403);
  EXPECT_EQ(get("/v1/objects").status, 403);
}

TEST_F(ObjectRoutesTest, AWrongLinkAsksTheStoreNothing) {
  store.fails = Errc::unavailable;
  EXPECT_EQ(get("/v1/objects?tenant=t&key=nothing&expires=1&signature=0").status, 403);
}

TEST_F(ObjectRoutesTest, NothingOfARequestIsDroppedInSilence) {
  const auto link = link_to("x");
  EXPECT_EQ(get(link + "&more=1").status, 400);
  EXPECT_EQ(get(link + "&key=other").status, 400);
  EXPECT_EQ(get(link, {{"range", "bytes=0-0"}, {"range", "bytes=1-1"}}).status, 400);
}

TEST_F(ObjectRoutesTest, AStoreThatIsAwayOrDamagedSaysSo) {
  const auto link = link_to("x");
  store.fails = Errc::timed_out;
  EXPECT_EQ(get(link).status, 503);
  EXPECT_EQ(field(get(link), "Retry-After"), "1");
  store.fails = Errc::corrupt;
  EXPECT_EQ(get(link).status, 500);
  store.fails = Errc::not_found;
  EXPECT_EQ(get(link).status, 404);
}

TEST_F(ObjectRoutesTest, WhatIsNotWhatWasPutIsNeverGivenWhole) {
  const std::string whole(3 * limits::object_piece_bytes_max, 'x');
  const auto got = get(link_to(whole));
  store.ends_with = Errc::corrupt;
  EXPECT_EQ(cut_body_of(got).size(), 2 * limits::object_piece_bytes_max);
  EXPECT_EQ(cut_body_of(get(link_to("small"))), "");
}

TEST_F(ObjectRoutesTest, WhatIsReplacedBetweenHeadAndBodyIsCut) {
  std::string other = "other";
  const auto got = get(link_to("first"));
  store.replaced = &other;
  EXPECT_EQ(cut_body_of(got), "");
}

TEST_F(ObjectRoutesTest, ALargeObjectIsSentInPieces) {
  const std::string whole(40 * limits::object_piece_bytes_max + 1, 'x');
  const auto got = get(link_to(whole));
  KeepingWriter writer(loop.clock());
  loop.run_one(got.stream(writer));
  EXPECT_EQ(writer.bytes, whole);
  EXPECT_LE(writer.largest, limits::object_piece_bytes_max);
}

}  // namespace
}  // namespace millrace
