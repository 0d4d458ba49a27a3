#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "ops/cli/job_text.h"
#include "ops/cli/number_option.h"
#include "ops/cli/settings_words.h"
#include "ops/cli/sse_reader.h"
#include "ops/cli/submit.h"
#include "shared/runtime/limits.h"

namespace millrace::cli {
namespace {

using Words = std::vector<std::string>;

TEST(SettingsWords, settings_are_taken_out_and_the_rest_is_left_in_order) {
  Words words{"prompt", "--port", "1", "--stream", "--redis-url=redis://h", "--model", "m"};
  EXPECT_EQ(take_settings(words), (Words{"--port=1", "--redis-url=redis://h"}));
  EXPECT_EQ(words, (Words{"prompt", "--stream", "--model", "m"}));
}

TEST(SettingsWords, behind_two_dashes_nothing_is_a_setting) {
  Words words{"--", "--port", "1"};
  EXPECT_TRUE(take_settings(words).empty());
  EXPECT_EQ(words, (Words{"--", "--port", "1"}));
}

TEST(SettingsWords, one_without_its_value_is_named) {
  Words words{"--port", "--stream"};
  EXPECT_THROW(take_settings(words), std::invalid_argument);
  Words bare{"--debug", "x"};
  EXPECT_EQ(take_settings(bare), Words{"--debug"});
}

TEST(SseReader, events_are_the_same_however_the_stream_is_cut) {
  const std::string stream =
      ": hello\r\n\r\nid: 1\r\nevent: delta\r\ndata: {\"a\":1}\r\n\r\nid:2\ndata:one\ndata: two\n\n"
      "event: x\n\nid: 3\ndata: half";
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    SseReader reader;
    std::vector<SseEvent> events;
    for (std::size_t at = 0; at < stream.size(); at += piece)
      reader.push(std::string_view(stream).substr(at, piece),
                  [&events](const SseEvent& event) { events.push_back(event); });
    ASSERT_EQ(events.size(), 2u) << piece;
    EXPECT_EQ(events[0].type + events[0].id + events[0].data, "delta1{\"a\":1}");
    EXPECT_EQ(events[1].type + events[1].id + events[1].data, "2one\ntwo");
  }
}

TEST(JobBody, holds_what_was_said_and_nothing_else) {
  EXPECT_EQ(job_body({.prompt = "a\"b"}), R"({"input":"a\"b"})");
  JobWords words;
  words.prompt = "p";
  words.session = "s";
  words.max_tokens = 5;
  words.metadata = {"n=1", "t=two", "o={\"a\":[true]}", "empty="};
  EXPECT_EQ(job_body(words), R"({"input":"p","session":"s","max_tokens":5,)"
                             R"("metadata":{"n":1,"t":"two","o":{"a":[true]},"empty":""}})");
}

TEST(JobBody, says_what_is_wrong) {
  EXPECT_FALSE(job_body({}));
  EXPECT_FALSE(job_body({.prompt = "\xff"}));
  JobWords nameless;
  nameless.prompt = "p";
  nameless.metadata = {"=1"};
  EXPECT_FALSE(job_body(nameless));
}

TEST(JobBody, a_prompt_that_no_edge_takes_is_refused_before_it_is_read_to_its_end_or_sent) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> endless(std::fopen("/dev/zero", "r"),
                                                                std::fclose);
  ASSERT_TRUE(endless);
  const auto refused = prompt_from(endless.get());
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().contains("larger than 8388608 bytes")) << refused.error();
  EXPECT_FALSE(job_body({.prompt = std::string(limits::body_bytes_max, 'x')}));
  EXPECT_TRUE(job_body({.prompt = std::string(limits::body_bytes_max - 100, 'x')}));
}

TEST(NumberOption, what_is_no_number_in_the_range_is_told_with_option_value_and_range) {
  const auto refusal = [](const std::string& text) -> std::string {
    CLI::App words;
    add_number(words, "-t,--temperature", 0, 2, "the edge's", [](double) {});
    try {
      words.parse(std::vector<std::string>{text, "--temperature"});
      return "";
    } catch (const CLI::ParseError& wrong) {
      return wrong.what();
    }
  };
  for (const std::string wrong : {"nan", "inf", "-inf", "", "hot", "2.01", "1e400", "0x1", " 1"})
    EXPECT_EQ(refusal(wrong), "--temperature is \"" + wrong +
                                  "\"; allowed: a number from 0 to 2; without it: the edge's");
  for (const std::string right : {"0", "2", "0.7", "1e-3"}) EXPECT_EQ(refusal(right), "");
}

TEST(NumberOption, a_whole_number_has_no_sign_and_no_part) {
  std::uint64_t taken = 0;
  CLI::App words;
  add_whole(words, "--limit", 1, 100, "20", [&taken](std::uint64_t count) { taken = count; });
  for (const std::string wrong : {"0", "101", "-1", "1.5", "1e1", "99999999999999999999"})
    EXPECT_THROW(words.parse(std::vector<std::string>{wrong, "--limit"}), CLI::ValidationError)
        << wrong;
  words.parse(std::vector<std::string>{"100", "--limit"});
  EXPECT_EQ(taken, 100u);
}

TEST(JobText, times_are_told_in_the_unit_that_fits) {
  EXPECT_EQ(seconds_text(0.0412), "41 ms");
  EXPECT_EQ(seconds_text(0.9999), "1.0 s");
  EXPECT_EQ(seconds_text(3.21), "3.2 s");
  EXPECT_EQ(seconds_text(250), "4 min 10 s");
  EXPECT_EQ(seconds_text(7800), "2 h 10 min");
}

}  // namespace
}  // namespace millrace::cli
