#include "workers/llm/sse_parser.h"

#include <gtest/gtest.h>

#include <vector>

namespace millrace {
namespace {

struct Events final : SseTaker {
  bool on_event(std::string_view data) override {
    all.emplace_back(data);
    return all.size() < most;
  }
  std::vector<std::string> all;
  std::size_t most = 1000;
};

std::vector<std::string> read_cut_at(std::string_view stream, std::size_t first,
                                     std::size_t second) {
  SseParser parser(1000);
  Events events;
  // Copies, so that a view kept across two pieces would dangle and be found.
  const std::string a(stream.substr(0, first));
  const std::string b(stream.substr(first, second - first));
  const std::string c(stream.substr(second));
  for (const std::string* piece : {&a, &b, &c}) {
    std::string once(*piece);
    parser.push(once, events);
    once.assign(once.size(), '#');
  }
  parser.end(events);
  return events.all;
}

TEST(SseParser, ReadsTheSameWhereverItsBytesAreCut) {
  const std::string stream =
      "\xEF\xBB\xBF: comment\r\n\r\nevent: x\ndata: one\nid: 3\n\ndata:two\r\rdata: a\r\ndata: "
      "b\r\n"
      "data\r\n\r\nretry: 10\n\ndatax: no\n\n\ndata:  spaced\n\ndata: last\n";
  const std::vector<std::string> expected{"one", "two", "a\nb\n", " spaced", "last"};
  for (std::size_t first = 0; first <= stream.size(); ++first)
    for (std::size_t second = first; second <= stream.size(); ++second)
      ASSERT_EQ(read_cut_at(stream, first, second), expected) << first << " " << second;
}

TEST(SseParser, StopsWhenItsTakerHasEnough) {
  SseParser parser(1000);
  Events events;
  events.most = 1;
  EXPECT_EQ(parser.push("data: a\n\ndata: b\n\n", events), SseParser::State::stopped);
  EXPECT_EQ(events.all.size(), 1u);
}

TEST(SseParser, ALineAboveItsLimitIsTooLong) {
  SseParser parser(100);
  Events events;
  const std::string piece(60, 'x');
  EXPECT_EQ(parser.push(piece, events), SseParser::State::reading);
  EXPECT_EQ(parser.push(piece, events), SseParser::State::too_long);
  EXPECT_EQ(parser.push("\n\ndata: a\n\n", events), SseParser::State::too_long);
  EXPECT_TRUE(events.all.empty());
}

TEST(SseParser, ManyLinesOfOneEventAreBoundedTogether) {
  SseParser parser(100);
  Events events;
  SseParser::State state = SseParser::State::reading;
  for (int i = 0; i < 20 && state == SseParser::State::reading; ++i)
    state = parser.push("data: 0123456789\n", events);
  EXPECT_EQ(state, SseParser::State::too_long);
}

TEST(SseParser, AnEventWithoutItsBlankLineCountsOnlyAtAnOrderlyEnd) {
  SseParser parser(100);
  Events events;
  parser.push("data: a\n", events);
  EXPECT_TRUE(events.all.empty());
  parser.end(events);
  EXPECT_EQ(events.all, std::vector<std::string>{"a"});
}

TEST(SseParser, HalfALineAtTheEndIsDropped) {
  SseParser parser(100);
  Events events;
  parser.push("data: a\n\ndata: b", events);
  parser.end(events);
  EXPECT_EQ(events.all, std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace millrace
