#include "shared/http/chunk_decoder.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::http {
namespace {

constexpr std::size_t enough = 1000;

/// The body, when the bytes are one whole chunked body; else the status in angle brackets, or
/// `<more>` when it has not ended.
std::string decoded(std::string_view bytes, std::size_t body_bytes_max = enough) {
  ChunkDecoder chunks(body_bytes_max);
  std::string body;
  const auto used = chunks.feed(bytes, body);
  if (!used) return "<" + std::to_string(used.error().status) + ">";
  if (!chunks.done()) return "<more>";
  EXPECT_EQ(*used, bytes.size());
  return body;
}

TEST(ChunkDecoder, ChunksAreJoined) {
  EXPECT_EQ(decoded("0\r\n\r\n"), "");
  EXPECT_EQ(decoded("5\r\nhello\r\n0\r\n\r\n"), "hello");
  EXPECT_EQ(decoded("5\r\nhello\r\nA\r\n 123456789\r\n000\r\n\r\n"), "hello 123456789");
  EXPECT_EQ(decoded("00000005\r\n\r\n0\r\n\r\n0\r\n\r\n"), "\r\n0\r\n");
  EXPECT_EQ(decoded("1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n"), "abcdefghijklmnopqrstuvwxyz");
}

TEST(ChunkDecoder, ExtensionsAndTrailersAreReadPast) {
  EXPECT_EQ(decoded("5;a=b;c=\"d e\"\r\nhello\r\n0;x\r\nA: b\r\nC:\r\n\r\n"), "hello");
}

TEST(ChunkDecoder, WhatFollowsTheBodyIsLeft) {
  ChunkDecoder chunks(enough);
  std::string body;
  const std::string bytes = "2\r\nhi\r\n0\r\n\r\n";
  EXPECT_EQ(chunks.feed(bytes + "GET / HTTP/1.1", body), bytes.size());
  EXPECT_TRUE(chunks.done());
  EXPECT_EQ(body, "hi");
  EXPECT_EQ(chunks.feed("more", body), 0u);
}

TEST(ChunkDecoder, EveryCutGivesTheSameBody) {
  const std::string bytes = "5;x=y\r\nhello\r\n006\r\n world\r\n0\r\nT: v\r\n\r\n";
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); ++second) {
      ChunkDecoder chunks(enough);
      std::string body;
      ASSERT_TRUE(chunks.feed(bytes.substr(0, first), body));
      ASSERT_TRUE(chunks.feed(bytes.substr(first, second - first), body));
      ASSERT_TRUE(chunks.feed(bytes.substr(second), body));
      ASSERT_TRUE(chunks.done());
      ASSERT_EQ(body, "hello world");
    }
  }
}

TEST(ChunkDecoder, AnUnfinishedBodyIsNotDone) {
  const std::string bytes = "5\r\nhello\r\n0\r\n\r\n";
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_EQ(decoded(bytes.substr(0, size)), "<more>") << size;
}

TEST(ChunkDecoder, FormsThatServersReadDifferentlyAreRefused) {
  for (const char* bytes : {"\r\n",
                            "x\r\n",
                            "-1\r\n",
                            "+1\r\n",
                            " 1\r\n",
                            "1 \r\n",
                            "1\t;a\r\n",
                            "0x1\r\n",
                            "1\n",
                            "1\r",
                            "1\rx",
                            ";a\r\n",
                            "1\r\nab",
                            "1\r\na\n",
                            "1\r\na\rb",
                            "1\r\n\r\n\r\n\r\n",
                            "0\r\n\n",
                            "0\n\n",
                            "0\r\nA\r\n",
                            "0\r\n: b\r\n",
                            "0\r\n A: b\r\n",
                            "0\r\nA : b\r\n",
                            "0\r\nA: \x01\r\n",
                            "0\r\nA: b\n",
                            "1;a\nb",
                            "1;\x01\r\n",
                            "1;a\r\r\n",
                            "ffffffffffffffff\r\n",
                            "1000000000000\r\n",
                            "00000000000000000\r\n"}) {
    const std::string text = bytes;
    const bool unfinished = text == "1\r";
    EXPECT_EQ(decoded(text), unfinished ? "<more>" : "<400>") << text;
  }
}

TEST(ChunkDecoder, TheLimitHoldsBeforeTheBytesCome) {
  EXPECT_EQ(decoded("a\r\n0123456789\r\n0\r\n\r\n", 10), "0123456789");
  EXPECT_EQ(decoded("b\r\n", 10), "<413>");
  EXPECT_EQ(decoded("5\r\nhello\r\n6\r\n", 10), "<413>");
  EXPECT_EQ(decoded("7fffffffffff\r\n", 10), "<413>");
  EXPECT_EQ(decoded("0\r\n\r\n", 0), "");
}

TEST(ChunkDecoder, WhatIsReadPastIsBounded) {
  const std::string kilobyte(1024, 'x');
  std::string extension = "1;";
  std::string trailer = "0\r\nA:";
  for (int i = 0; i < 10; ++i) {
    extension += kilobyte;
    trailer += kilobyte;
  }
  EXPECT_EQ(decoded(extension), "<400>");
  EXPECT_EQ(decoded(trailer), "<400>");
  std::string many = "0\r\n";
  for (int i = 0; i < 5000; ++i) many += "A: b\r\n";
  EXPECT_EQ(decoded(many), "<400>");
}

}  // namespace
}  // namespace millrace::http
