#include "ops/cli/event_printer.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace millrace::cli {
namespace {

/// What was written to a FILE.
class Written {
 public:
  Written() : file_(open_memstream(&bytes_, &size_)) {}
  ~Written() {
    std::fclose(file_);
    std::free(bytes_);
  }
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;

  std::FILE* file() const { return file_; }
  std::string text() const {
    std::fflush(file_);
    return {bytes_, size_};
  }

 private:
  char* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* file_;
};

/// Tells a printer the events of one job.
class EventPrinterTest : public testing::Test {
 protected:
  explicit EventPrinterTest(bool terminal = false)
      : screen_(out.file(), err.file(), {.colours = false, .out_terminal = terminal}) {}

  void take(std::string type, const std::string& fields) {
    ++seq_;
    const std::string seq = std::to_string(seq_);
    printer_.take(
        {.type = std::move(type), .data = R"({"job":"j","seq":)" + seq + fields + "}", .id = seq});
  }
  void delta(const std::string& text) { take("delta", R"(,"text":")" + text + R"(")"); }
  void rewind_to(std::uint64_t seq) { take("rewind", R"(,"to":)" + std::to_string(seq)); }
  void done(const std::string& text) { take("done", R"(,"result":{"text":")" + text + R"("})"); }

  Written out, err;

 private:
  Screen screen_;
  EventPrinter printer_{screen_, EventPrinter::Text::as_it_comes};
  std::uint64_t seq_ = 0;
};
class EventPrinterOnTerminal : public EventPrinterTest {
 protected:
  EventPrinterOnTerminal() : EventPrinterTest(true) {}
};

TEST_F(EventPrinterTest, a_file_gets_no_word_twice_when_the_same_answer_comes_again) {
  for (const char* word : {"one ", "two ", "three "}) delta(word);
  rewind_to(1);
  for (const char* part : {"tw", "o thr"}) delta(part);
  EXPECT_EQ(out.text(), "one two three ");
  delta("ee four");
  EXPECT_EQ(out.text(), "one two three four");
  delta(" five");
  done("one two three four five");
  EXPECT_EQ(out.text(), "one two three four five\n");
  EXPECT_FALSE(err.text().contains("goes back"));
}

TEST_F(EventPrinterTest, a_file_gets_all_of_an_answer_that_turns_out_another_and_it_is_told) {
  for (const char* word : {"one ", "two ", "three"}) delta(word);
  rewind_to(0);
  delta("one ");
  EXPECT_EQ(out.text(), "one two three");
  delta("other");
  EXPECT_EQ(out.text(), "one two three\none other");
  EXPECT_TRUE(err.text().contains("the answer goes back"));
  delta(" end");
  done("one other end");
  EXPECT_EQ(out.text(), "one two three\none other end\n");
}

TEST_F(EventPrinterTest, a_file_gets_an_answer_that_stays_shorter_than_what_it_has) {
  for (const char* word : {"one ", "two"}) delta(word);
  rewind_to(1);
  done("one ");
  EXPECT_EQ(out.text(), "one two\none \n");
  EXPECT_TRUE(err.text().contains("the answer is"));
}

TEST_F(EventPrinterOnTerminal, a_terminal_is_told_at_once_and_shown_what_stays) {
  for (const char* word : {"one ", "two "}) delta(word);
  rewind_to(1);
  EXPECT_EQ(out.text(), "one two \none ");
  EXPECT_TRUE(err.text().contains("the answer goes back"));
  delta("two");
  EXPECT_EQ(out.text(), "one two \none two");
}

}  // namespace
}  // namespace millrace::cli
