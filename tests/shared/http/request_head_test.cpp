#include "shared/http/request_head.h"

#include <gtest/gtest.h>

#include <string>

namespace millrace::http {
namespace {

/// Status of what a whole head is refused with; 0 when it is taken.
int refusal(const std::string& head, HeadLimits limits = {}) {
  std::size_t scanned = 0;
  const auto end = find_head_end(head, scanned, limits);
  if (!end) return end.error().status;
  EXPECT_TRUE(*end) << "unended: " << head;
  if (!*end) return -1;
  const auto read = parse_head(std::string_view(head).substr(0, **end), limits);
  return read ? 0 : read.error().status;
}

int refusal_of_line(const std::string& line) {
  return refusal(line + "\r\nHost: h\r\n\r\n");
}

int refusal_of_field(const std::string& field) {
  return refusal("POST /v1/jobs HTTP/1.1\r\nHost: h\r\n" + field + "\r\n\r\n");
}

RequestHead taken(const std::string& head) {
  const auto read = parse_head(head, {});
  EXPECT_TRUE(read) << head;
  return read ? *read : RequestHead{};
}

TEST(RequestHead, ItsPartsAreFoundWhereTheyStand) {
  const std::string text =
      "POST /v1/jobs/%41?a=1&b=?/ HTTP/1.1\r\nHost: example.com:80\r\nContent-Length: 12 \r\n"
      "X-Odd:\t a  b \t\r\nEmpty:\r\nExpect: 100-Continue\r\n\r\n";
  const auto head = taken(text);
  EXPECT_EQ(head.method, Method::post);
  EXPECT_EQ(head.raw_path, "/v1/jobs/%41");
  EXPECT_EQ(head.query, "a=1&b=?/");
  EXPECT_EQ(head.content_length, 12u);
  EXPECT_EQ(head.field("x-odd"), "a  b");
  EXPECT_EQ(head.field("empty"), "");
  EXPECT_EQ(head.field("host"), "example.com:80");
  EXPECT_EQ(head.field("absent"), "");
  EXPECT_TRUE(head.expects_continue);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.chunked);
}

TEST(RequestHead, TheConnectionStaysByVersionAndWish) {
  const auto stays = [](const std::string& version, const std::string& field) {
    const std::string text = "GET / HTTP/" + version + "\r\nHost: h\r\n" + field + "\r\n";
    return taken(text).keep_alive;
  };
  EXPECT_TRUE(stays("1.1", ""));
  EXPECT_FALSE(stays("1.1", "Connection: close\r\n"));
  EXPECT_FALSE(stays("1.1", "connection: Upgrade , CLOSE\r\n"));
  EXPECT_FALSE(stays("1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_TRUE(stays("1.1", "Connection: closed\r\n"));
  EXPECT_FALSE(stays("1.0", ""));
  EXPECT_TRUE(stays("1.0", "Connection: Keep-Alive\r\n"));
}

TEST(RequestHead, EveryFormOfTargetIsRead) {
  const auto path = [](const std::string& target, const std::string& method = "GET") {
    const std::string text = method + " " + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
    const auto head = taken(text);
    return std::string(head.raw_path) + "|" + std::string(head.query);
  };
  EXPECT_EQ(path("/"), "/|");
  EXPECT_EQ(path("/a/b"), "/a/b|");
  EXPECT_EQ(path("/?"), "/|");
  EXPECT_EQ(path("http://h:80/a?b"), "/a|b");
  EXPECT_EQ(path("HTTP://h"), "/|");
  EXPECT_EQ(path("https://[::1]?x"), "/|x");
  EXPECT_EQ(path("*", "OPTIONS"), "*|");
}

TEST(RequestHead, MalformedRequestLinesAreRefused) {
  for (const char* line : {"GET",
                           "GET /",
                           "GET  / HTTP/1.1",

                           " GET / HTTP/1.1",
                           "G(T / HTTP/1.1",
                           "GET /a b HTTP/1.1",
                           "GET a HTTP/1.1",
                           "GET * HTTP/1.1",
                           "GET ftp://h/ HTTP/1.1",
                           "GET http:/// HTTP/1.1",
                           "GET http://a b/ HTTP/1.1",
                           "GET http://u@h/ HTTP/1.1",
                           "GET /\\a HTTP/1.1",
                           "GET /a#b HTTP/1.1",
                           "GET /\x01 HTTP/1.1",
                           "GET /\x7f HTTP/1.1",
                           "GET /\xc3\xa4 HTTP/1.1",
                           "GET /\"<> HTTP/1.1",
                           "GET\t/\tHTTP/1.1",
                           "GET / http/1.1",
                           "GET / HTTPS/1.1",
                           "GET /\r HTTP/1.1",
                           ""})
    EXPECT_EQ(refusal_of_line(line), 400) << line;
  for (const char* version : {"2.0", "1.2", "0.9", "1.", "1.10", "01.1", "1.1 ", "1.1\t", "1.1 "})
    EXPECT_EQ(refusal_of_line("GET / HTTP/" + std::string(version)), 505) << version;
}

TEST(RequestHead, FramingThatAnotherServerMightReadInAnotherWayIsRefused) {
  for (const char* field : {"Content-Length: 1\r\nContent-Length: 1",
                            "Content-Length: 1\r\nContent-Length: 2",
                            "Content-Length: 1, 1",
                            "Content-Length: +1",
                            "Content-Length: -1",
                            "Content-Length: 0x1",
                            "Content-Length: 1 2",
                            "Content-Length: 1a",
                            "Content-Length:",
                            "Content-Length: 1\v",
                            "Content-Length: 1234567890123456789",
                            "Content-Length : 1",
                            "Content-Length\t: 1",
                            " Content-Length: 1",
                            "\tContent-Length: 1",
                            "Content-Length",
                            ": 1",
                            "Content-Length: 1\r\nTransfer-Encoding: chunked",
                            "Transfer-Encoding: chunked\r\nContent-Length: 1",
                            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                            "Transfer-Encoding : chunked",
                            "X: a\r\n Transfer-Encoding: chunked",
                            "X: a\rTransfer-Encoding: chunked",
                            "X: a\nTransfer-Encoding: chunked",
                            "X: \x01",
                            "X: \x7f",
                            "X: a\r",
                            "X(: a",
                            "X y: a",
                            "X\xc3\xa4: a",
                            "Host: h",
                            "Host: other"})
    EXPECT_EQ(refusal_of_field(field), 400) << field;
  for (const char* coding : {"chunked, chunked", "gzip, chunked", "chunked, identity", "identity",
                             "xchunked", "\"chunked\"", "chunked;q=1", "", ",chunked", "chunked,"})
    EXPECT_EQ(refusal_of_field("Transfer-Encoding: " + std::string(coding)), 501) << coding;
  EXPECT_EQ(refusal_of_field("Transfer-Encoding: ChunKed"), 0);
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(refusal_of_field("Expect: 200-maybe"), 417);
}

TEST(RequestHead, AHostIsNeededOnceAndMustBeOne) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\nAccept: a\r\n\r\n"), 400);
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\n\r\n"), 0);
  for (const char* host : {"a b", "a/b", "a,b", "a@b", "a\\b", "\xc3\xa4", "a?b"})
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  for (const char* host : {"h", "h:80", "[::1]:80", "a.b-c_d~e", "127.0.0.1", ""})
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 0) << host;
}

TEST(RequestHead, LimitsAreRefusedWithTheirOwnStatus) {
  const HeadLimits small{.head_bytes_max = 256, .url_bytes_max = 64};
  const auto of_target = [&](std::size_t bytes) {
    return refusal("GET /" + std::string(bytes - 1, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", small);
  };
  EXPECT_EQ(of_target(64), 0);
  EXPECT_EQ(of_target(65), 414);
  const auto of_head = [&](std::size_t bytes) {
    const std::string rest = "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n";
    return refusal(
        "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(bytes - rest.size(), 'a') + "\r\n\r\n",
        small);
  };
  EXPECT_EQ(of_head(256), 0);
  EXPECT_EQ(of_head(257), 431);
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 99; ++i) many += "A: b\r\n";
  EXPECT_EQ(refusal(many + "\r\n"), 0);
  EXPECT_EQ(refusal(many + "A: b\r\n\r\n"), 431);
}

TEST(RequestHead, AnEndlessLineIsRefusedBeforeItsEnd) {
  const HeadLimits small{.head_bytes_max = 256, .url_bytes_max = 64};
  const auto after = [&](const std::string& start) {
    std::string bytes = start;
    std::size_t scanned = 0;
    while (bytes.size() < 10'000) {
      const auto end = find_head_end(bytes, scanned, small);
      if (!end) return std::pair(end.error().status, bytes.size());
      bytes += 'a';
    }
    return std::pair(0, bytes.size());
  };
  EXPECT_EQ(after("GET /").first, 414);
  EXPECT_LE(after("GET /").second, 200u);
  EXPECT_EQ(after("GET / HTTP/1.1\r\nHost: ").first, 431);
  EXPECT_LE(after("GET / HTTP/1.1\r\nHost: ").second, 300u);
}

TEST(RequestHead, TheEndIsFoundHoweverTheBytesCome) {
  const std::string text = "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n";
  std::size_t scanned = 0;
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto end = find_head_end(std::string_view(text).substr(0, size), scanned, {});
    ASSERT_TRUE(end);
    EXPECT_FALSE(*end) << size;
  }
  const auto end = find_head_end(text + "next request", scanned, {});
  ASSERT_TRUE(end && *end);
  EXPECT_EQ(**end, text.size());
}

TEST(RequestHead, ALoneLineFeedIsRefusedAsSoonAsItIsSeen) {
  for (const char* text :
       {"\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: h\n", "GET / \r\n\n"}) {
    std::size_t scanned = 0;
    const auto end = find_head_end(text, scanned, {});
    ASSERT_FALSE(end) << text;
    EXPECT_EQ(end.error().status, 400);
  }
}

TEST(RequestHead, AProblemNamesTheFieldAndWhatIsAllowed) {
  const auto read = parse_head("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, "bad_framing");
  EXPECT_EQ(read.error().field, "content-length");
  EXPECT_FALSE(read.error().detail.empty());
}

}  // namespace
}  // namespace millrace::http
