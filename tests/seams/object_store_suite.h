#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "shared/object_store.h"
#include "shared/runtime/ids.h"
#include "shared/runtime/limits.h"
#include "tests/seams/object_streams.h"
#include "tests/seams/test_loop.h"

/// What every ObjectStore promises, whatever keeps it. An adapter's test program includes this file
/// once and adds `INSTANTIATE_TEST_SUITE_P(Name, ObjectStoreSuite, testing::Values(make_world))`.
namespace millrace {

/// One place for objects, empty at first, and ways to reach it.
class ObjectStoreWorld {
 public:
  virtual ~ObjectStoreWorld() = default;
  virtual std::unique_ptr<ObjectStore> port(Clock& clock) = 0;
  /// As another process would reach the same place.
  virtual std::unique_ptr<ObjectStore> other_process(Clock& clock) = 0;

  /// What the holder of a link gets by GET once so much time has gone by. A link that is a path is
  /// asked for where clients would ask for it.
  struct Fetched {
    int status = 0;
    std::string body;
  };
  virtual Fetched fetch(TestLoop& loop, const std::string& link, Duration later) = 0;
};

using MakeObjectStoreWorld = std::unique_ptr<ObjectStoreWorld> (*)();

class ObjectStoreSuite : public testing::TestWithParam<MakeObjectStoreWorld> {
 protected:
  static ObjectName named(std::string key, std::string tenant = "t") {
    return {.tenant = std::move(tenant), .key = std::move(key)};
  }
  Result<ObjectInfo> put(ObjectName name, std::string bytes,
                         std::optional<WallTime> expires_at = {}) {
    TextSource source(std::move(bytes));
    return loop.get(store->put(std::move(name), expires_at, source));
  }
  /// The bytes of an object, or why there are none.
  Result<std::string> got(ObjectName name, ByteRange range = {}) {
    TextSink sink;
    const auto info = loop.get(store->get(std::move(name), range, sink));
    if (!info) return Failure(info.error());
    return sink.text;
  }
  Result<ObjectInfo> info(ObjectName name) {
    TextSink sink;
    auto found = loop.get(store->get(std::move(name), {.from = 0, .size = 0}, sink));
    EXPECT_EQ(sink.text, "");
    return found;
  }
  std::string link_to(ObjectName name) {
    return store->presign(std::move(name), loop.clock().wall() + 1h).value_or("");
  }
  /// Status and body of what a link gives now.
  std::string fetched(const std::string& link) {
    const auto got = world->fetch(loop, link, 0s);
    return std::to_string(got.status) + " " + got.body;
  }
  /// Keys of one page; "…" behind them when there are more.
  std::vector<std::string> listed(ObjectFilter filter) {
    const auto page = loop.get(store->list(std::move(filter)));
    if (!page) return {std::string(to_string(page.error()))};
    std::vector<std::string> keys;
    for (const auto& object : page->objects) keys.push_back(object.key);
    if (page->more) keys.emplace_back("…");
    return keys;
  }
  /// Bytes of every value, none like the ones before.
  static std::string bytes(std::size_t size, std::uint32_t seed = 1) {
    std::string made(size, '\0');
    for (char& byte : made) byte = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
    return made;
  }

  TestLoop loop;
  std::unique_ptr<ObjectStoreWorld> world = GetParam()();
  std::unique_ptr<ObjectStore> store = world->port(loop.clock());
};

using Keys = std::vector<std::string>;

TEST_P(ObjectStoreSuite, WhatWasPutIsGot) {
  const auto wanted = bytes(3 * limits::object_piece_bytes_max + 17);
  ASSERT_TRUE(put(named("큰 것"), wanted));
  EXPECT_EQ(got(named("큰 것")), wanted);
}

TEST_P(ObjectStoreSuite, SizeHashAndTimesAreKeptAndTold) {
  const auto wanted = bytes(1000);
  const auto before = loop.clock().wall();
  const auto until = before + 1h;
  const auto made = put(named("k"), wanted, until);
  const auto kept = info(named("k"));
  ASSERT_TRUE(made && kept);
  for (const auto& told : {*made, *kept}) {
    EXPECT_EQ(told.key, "k");
    EXPECT_EQ(told.size, 1000U);
    EXPECT_EQ(told.sha256, fingerprint(wanted));
    EXPECT_GE(told.created_at, before);
    EXPECT_LE(told.created_at, loop.clock().wall());
    EXPECT_EQ(told.expires_at, until);
  }
}

TEST_P(ObjectStoreSuite, AnEmptyObjectIsAnObject) {
  ASSERT_TRUE(put(named("empty"), ""));
  EXPECT_EQ(got(named("empty")), "");
  EXPECT_EQ(info(named("empty"))->sha256, fingerprint(""));
}

TEST_P(ObjectStoreSuite, AnyPieceOfAnObjectIsGot) {
  const auto whole = bytes(2 * limits::object_piece_bytes_max);
  ASSERT_TRUE(put(named("k"), whole));
  const std::size_t edge = limits::object_piece_bytes_max;
  const std::vector<ByteRange> ranges{
      {0, 1}, {edge - 1, 2}, {5, edge}, {edge, edge}, {whole.size() - 1, 1}};
  for (const auto& range : ranges)
    EXPECT_EQ(got(named("k"), range), whole.substr(range.from, range.size));
}

TEST_P(ObjectStoreSuite, BeyondTheEndOfAnObjectIsNothing) {
  ASSERT_TRUE(put(named("k"), "0123456789"));
  EXPECT_EQ(got(named("k"), {.from = 7, .size = 100}), "789");
  EXPECT_EQ(got(named("k"), {.from = 7}), "789");
  EXPECT_EQ(got(named("k"), {.from = 10, .size = 1}), "");
  EXPECT_EQ(got(named("k"), {.from = 99}), "");
}

TEST_P(ObjectStoreSuite, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(got(named("nothing")), Result<std::string>(Failure(Errc::not_found)));
  EXPECT_EQ(info(named("nothing")).error(), Errc::not_found);
}

TEST_P(ObjectStoreSuite, TheLastPutStands) {
  ASSERT_TRUE(put(named("k"), bytes(500, 1)));
  ASSERT_TRUE(put(named("k"), "second"));
  EXPECT_EQ(got(named("k")), "second");
  EXPECT_EQ(info(named("k"))->size, 6U);
  EXPECT_EQ(listed({.tenant = "t"}), Keys{"k"});
}

TEST_P(ObjectStoreSuite, APutThatBreaksOffLeavesWhatWasThere) {
  ASSERT_TRUE(put(named("old"), "old"));
  for (const auto* key : {"old", "new"}) {
    BrokenSource source(bytes(limits::object_piece_bytes_max), 3, Errc::closed);
    EXPECT_EQ(loop.get(store->put(named(key), {}, source)).error(), Errc::closed);
  }
  EXPECT_EQ(got(named("old")), "old");
  EXPECT_EQ(got(named("new")).error(), Errc::not_found);
  EXPECT_EQ(listed({.tenant = "t"}), Keys{"old"});
}

TEST_P(ObjectStoreSuite, NothingIsSeenOfAPutBeforeItsEnd) {
  ASSERT_TRUE(put(named("k"), "before"));
  LookingSource source(*store, named("k"), bytes(1000));
  ASSERT_TRUE(loop.get(store->put(named("k"), {}, source)));
  EXPECT_EQ(source.seen, "before");
  EXPECT_EQ(got(named("k")), bytes(1000));
}

TEST_P(ObjectStoreSuite, WhoReadsKeepsWhatTheyRead) {
  const auto first = bytes(4 * limits::object_piece_bytes_max, 1);
  ASSERT_TRUE(put(named("k"), first));
  ReplacingSink sink(*store, named("k"), "second");
  ASSERT_TRUE(loop.get(store->get(named("k"), {}, sink)));
  EXPECT_EQ(fingerprint(sink.text), fingerprint(first));
  EXPECT_EQ(got(named("k")), "second");
}

TEST_P(ObjectStoreSuite, AReaderThatGivesUpEndsTheReading) {
  ASSERT_TRUE(put(named("k"), bytes(4 * limits::object_piece_bytes_max)));
  FullSink sink(2);
  EXPECT_EQ(loop.get(store->get(named("k"), {}, sink)).error(), Errc::closed);
  EXPECT_EQ(sink.pieces, 2U);
}

TEST_P(ObjectStoreSuite, PiecesNeverGrowBeyondTheirLimit) {
  ASSERT_TRUE(put(named("k"), bytes(5 * limits::object_piece_bytes_max)));
  TextSink sink;
  ASSERT_TRUE(loop.get(store->get(named("k"), {}, sink)));
  EXPECT_LE(sink.largest, limits::object_piece_bytes_max);
  WideSource source;
  EXPECT_EQ(loop.get(store->put(named("k"), {}, source)).error(), Errc::invalid);
}

TEST_P(ObjectStoreSuite, RemovedIsGoneAndRemovingAgainIsNoError) {
  ASSERT_TRUE(put(named("k"), "x"));
  EXPECT_TRUE(loop.get(store->remove(named("k"))));
  EXPECT_EQ(got(named("k")).error(), Errc::not_found);
  EXPECT_EQ(listed({.tenant = "t"}), Keys{});
  EXPECT_TRUE(loop.get(store->remove(named("k"))));
  EXPECT_TRUE(loop.get(store->remove(named("never", "nobody"))));
  ASSERT_TRUE(put(named("k"), "again"));
  EXPECT_EQ(got(named("k")), "again");
}

TEST_P(ObjectStoreSuite, OneTenantNeverSeesAnothers) {
  ASSERT_TRUE(put(named("k", "a"), "of a"));
  ASSERT_TRUE(put(named("k", "b"), "of b"));
  EXPECT_EQ(got(named("k", "a")), "of a");
  EXPECT_EQ(got(named("k", "b")), "of b");
  EXPECT_TRUE(loop.get(store->remove(named("k", "a"))));
  EXPECT_EQ(got(named("k", "b")), "of b");
  EXPECT_EQ(listed({.tenant = "a"}), Keys{});
  EXPECT_EQ(listed({.tenant = "b"}), Keys{"k"});
  // Nor by names that run together.
  ASSERT_TRUE(put(named("c/k", "a/b"), "1"));
  EXPECT_EQ(got(named("b/c/k", "a")).error(), Errc::not_found);
  EXPECT_EQ(got(named("k", "a/b/c")).error(), Errc::not_found);
}

TEST_P(ObjectStoreSuite, AKeyIsALabelAndNeverAPath) {
  const Keys keys{
      "../../etc/passwd",           "/absolute", "a/../b",     ".",         "..",    "새/이름",
      std::string("nul\0in it", 9), "*?[]",      "line\nfeed", "%2e%2e%2f", "\\..\\"};
  for (const auto& key : keys) ASSERT_TRUE(put(named(key), "of " + key)) << key;
  for (const auto& key : keys) EXPECT_EQ(got(named(key)), "of " + key);
  EXPECT_EQ(listed({.tenant = "t"}).size(), keys.size());
  ASSERT_TRUE(put(named("k", "../t"), "elsewhere"));
  EXPECT_EQ(listed({.tenant = "t"}).size(), keys.size());
  EXPECT_EQ(got(named("b")).error(), Errc::not_found);
}

TEST_P(ObjectStoreSuite, NamesHaveLimits) {
  const std::string longest(limits::object_key_bytes_max, 'k');
  const std::string tenant(limits::name_bytes_max, 't');
  ASSERT_TRUE(put(named(longest, tenant), "x"));
  EXPECT_EQ(got(named(longest, tenant)), "x");
  const std::vector<ObjectName> wrong{named(longest + "k"), named("k", tenant + "t"), named(""),
                                      named("k", "")};
  for (const auto& name : wrong) {
    EXPECT_EQ(put(name, "x").error(), Errc::invalid);
    EXPECT_EQ(got(name).error(), Errc::invalid);
    EXPECT_EQ(loop.get(store->remove(name)).error(), Errc::invalid);
  }
  EXPECT_EQ(listed({.tenant = ""}), Keys{"invalid"});
}

TEST_P(ObjectStoreSuite, KeysAreListedInTheOrderOfTheirBytes) {
  for (const auto* key : {"b/2", "a", "나", "b/10", "B", "b", "가"})
    ASSERT_TRUE(put(named(key), "x"));
  EXPECT_EQ(listed({.tenant = "t"}), (Keys{"B", "a", "b", "b/10", "b/2", "가", "나"}));
  EXPECT_EQ(listed({.tenant = "t", .prefix = "b"}), (Keys{"b", "b/10", "b/2"}));
  EXPECT_EQ(listed({.tenant = "t", .prefix = "b/"}), (Keys{"b/10", "b/2"}));
  EXPECT_EQ(listed({.tenant = "t", .prefix = "c"}), Keys{});
  EXPECT_EQ(listed({.tenant = "nobody"}), Keys{});
}

TEST_P(ObjectStoreSuite, PagesJoinToTheWholeList) {
  Keys all;
  for (int i = 0; i < 25; ++i) all.push_back("k" + std::to_string(i));
  for (const auto& key : all) ASSERT_TRUE(put(named(key), "x"));
  std::ranges::sort(all);
  Keys pages;
  ObjectFilter filter{.tenant = "t", .prefix = "k", .limit = 7};
  for (bool more = true; more; filter.after = pages.back()) {
    const auto page = loop.get(store->list(filter));
    ASSERT_TRUE(page);
    ASSERT_LE(page->objects.size(), 7U);
    for (const auto& object : page->objects) pages.push_back(object.key);
    more = page->more;
  }
  EXPECT_EQ(pages, all);
  EXPECT_EQ(listed({.tenant = "t", .after = "k7", .limit = 2}), (Keys{"k8", "k9"}));
  EXPECT_EQ(listed({.tenant = "t", .limit = 25}), all);
}

TEST_P(ObjectStoreSuite, AnExpiredObjectIsNotFound) {
  const auto now = loop.clock().wall();
  ASSERT_TRUE(put(named("past"), "x", now));
  ASSERT_TRUE(put(named("future"), "x", now + 1h));
  EXPECT_EQ(got(named("past")).error(), Errc::not_found);
  EXPECT_EQ(got(named("future")), "x");
  EXPECT_EQ(listed({.tenant = "t"}), Keys{"future"});
}

TEST_P(ObjectStoreSuite, AnotherProcessFindsTheSame) {
  ASSERT_TRUE(put(named("k"), "from here"));
  store = world->other_process(loop.clock());
  EXPECT_EQ(got(named("k")), "from here");
  ASSERT_TRUE(put(named("k"), "from there"));
  store = world->port(loop.clock());
  EXPECT_EQ(got(named("k")), "from there");
}

TEST_P(ObjectStoreSuite, ManyAtOnceDoNotMixUp) {
  std::vector<Task<>> tasks;
  std::vector<std::string> answers(32);
  for (std::size_t i = 0; i < answers.size(); ++i)
    tasks.push_back(put_and_get(*store, named(std::to_string(i)),
                                bytes(50'000 + i, static_cast<std::uint32_t>(i)), answers[i]));
  loop.run(std::move(tasks));
  for (std::size_t i = 0; i < answers.size(); ++i)
    EXPECT_EQ(fingerprint(answers[i]),
              fingerprint(bytes(50'000 + i, static_cast<std::uint32_t>(i))));
}

TEST_P(ObjectStoreSuite, PutsOfOneNameAtOnceLeaveOneOfThem) {
  std::vector<Task<>> tasks;
  std::vector<std::string> answers(8);
  std::vector<std::string> sent;
  for (std::uint32_t i = 0; i < answers.size(); ++i) {
    sent.push_back(bytes(limits::object_piece_bytes_max + i, i));
    tasks.push_back(put_and_get(*store, named("k"), sent.back(), answers[i]));
  }
  loop.run(std::move(tasks));
  for (const auto& answer : answers) EXPECT_NE(std::ranges::find(sent, answer), sent.end());
  const auto standing = got(named("k"));
  ASSERT_TRUE(standing);
  EXPECT_NE(std::ranges::find(sent, *standing), sent.end());
}

TEST_P(ObjectStoreSuite, ALinkOpensTheObjectItWasMadeForWhateverItsName) {
  const Keys keys{"plain",         "../../etc/passwd", "..",  ".",           "a//b/",
                  "%2e%2e%2f100%", "새/이름 하나",     "a b", "a+b&c=d?e#f", "*?[]\\\"<>"};
  for (const auto& tenant : Keys{"t", "../t", "세입자"}) {
    for (const auto& key : keys) {
      ASSERT_TRUE(put(named(key, tenant), "of " + key + " of " + tenant));
      EXPECT_EQ(fetched(link_to(named(key, tenant))), "200 of " + key + " of " + tenant);
    }
  }
}

TEST_P(ObjectStoreSuite, ALinkGivesAllOfALargeObject) {
  const auto whole = bytes(3 * limits::object_piece_bytes_max + 17);
  ASSERT_TRUE(put(named("k"), whole));
  EXPECT_EQ(fetched(link_to(named("k"))), "200 " + whole);
  ASSERT_TRUE(put(named("empty"), ""));
  EXPECT_EQ(fetched(link_to(named("empty"))), "200 ");
}

TEST_P(ObjectStoreSuite, ALinkEndsWhenItWasToEnd) {
  ASSERT_TRUE(put(named("k"), "x"));
  const auto link = store->presign(named("k"), loop.clock().wall() + 2s);
  ASSERT_TRUE(link);
  EXPECT_EQ(fetched(*link), "200 x");
  EXPECT_EQ(world->fetch(loop, *link, 4s).status, 403);
}

TEST_P(ObjectStoreSuite, ALinkOpensNoOtherObject) {
  ASSERT_TRUE(put(named("first", "one"), "the first"));
  for (const auto& other : {named("other", "one"), named("first", "two")}) {
    ASSERT_TRUE(put(other, "the other"));
    auto link = link_to(named("first", "one"));
    const std::string from = other.tenant == "one" ? "first" : "one";
    const auto at = link.find(from);
    ASSERT_NE(at, std::string::npos);
    link.replace(at, from.size(), other.tenant == "one" ? other.key : other.tenant);
    EXPECT_EQ(world->fetch(loop, link, 0s).status, 403);
  }
}

TEST_P(ObjectStoreSuite, NoCharacterOfALinkCanBeChanged) {
  ASSERT_TRUE(put(named("k"), "the secret"));
  const auto link = link_to(named("k"));
  for (auto at = link.find('?') + 1; at < link.size(); ++at) {
    auto changed = link;
    changed[at] = link[at] == 'a' ? 'b' : 'a';
    const auto got = world->fetch(loop, changed, 0s);
    EXPECT_TRUE(got.status == 400 || got.status == 403) << changed << " " << got.status;
    EXPECT_FALSE(got.body.contains("the secret"));
  }
  EXPECT_NE(world->fetch(loop, link.substr(0, link.find('?')), 0s).status, 200);
}

TEST_P(ObjectStoreSuite, ALinkGivesWhatTheNameStandsForThen) {
  const auto link = link_to(named("k"));
  EXPECT_EQ(world->fetch(loop, link, 0s).status, 404);
  ASSERT_TRUE(put(named("k"), "first"));
  EXPECT_EQ(fetched(link), "200 first");
  ASSERT_TRUE(put(named("k"), "second"));
  EXPECT_EQ(fetched(link), "200 second");
  ASSERT_TRUE(loop.get(store->remove(named("k"))));
  EXPECT_EQ(world->fetch(loop, link, 0s).status, 404);
}

TEST_P(ObjectStoreSuite, EveryProcessMakesTheSameLinks) {
  ASSERT_TRUE(put(named("k"), "x"));
  store = world->other_process(loop.clock());
  EXPECT_EQ(fetched(link_to(named("k"))), "200 x");
}

TEST_P(ObjectStoreSuite, LinksHaveLimits) {
  const auto now = loop.clock().wall();
  const auto longest = now + ObjectStore::link_valid_max;
  EXPECT_TRUE(store->presign(named("k"), longest));
  const Result<std::string> refused{Failure(Errc::invalid)};
  EXPECT_EQ(store->presign(named("k"), longest + 1min), refused);
  EXPECT_EQ(store->presign(named("k"), now), refused);
  const std::vector<ObjectName> wrong{named(""), named("k", ""),
                                      named(std::string(limits::object_key_bytes_max + 1, 'k')),
                                      named(std::string("nul\0in it", 9)), named("\xff not UTF-8")};
  for (const auto& name : wrong) EXPECT_EQ(store->presign(name, now + 1h), refused);
}

TEST_P(ObjectStoreSuite, ACancelledPutLeavesNothing) {
  ASSERT_TRUE(put(named("old"), "old"));
  for (const auto* key : {"old", "new"}) {
    StuckSource source(loop.clock(), bytes(limits::object_piece_bytes_max));
    loop.run_one(cancelled_put(loop.clock(), *store, named(key), source));
  }
  EXPECT_EQ(got(named("old")), "old");
  EXPECT_EQ(listed({.tenant = "t"}), Keys{"old"});
}

}  // namespace millrace
