#include "shared/disk/inbox.h"

#include <gtest/gtest.h>

#include "tests/seams/test_loop.h"

namespace millrace::disk {
namespace {

class Heard final : public Ear {
 public:
  void on_lines(const JobId&, std::string_view lines) noexcept override {
    bytes += lines.size();
    news += "lines ";
  }
  void on_joined(const JobId&, std::string_view) noexcept override { news += "joined "; }
  void on_cancel(const JobId&, std::string_view) noexcept override { news += "cancel "; }
  void on_listening(std::uint64_t) noexcept override { news += "listening "; }
  void on_read(std::uint64_t) noexcept override { news += "read "; }
  void on_missed() noexcept override { news += "missed "; }

  std::string news;
  std::size_t bytes = 0;
};

class LoopInbox : public testing::Test {
 protected:
  void turn() { loop.run_one(loop.clock().sleep_for(0ms)); }

  TestLoop loop;
  Heard heard;
  std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>(loop.clock(), heard);
};

TEST_F(LoopInbox, NewsIsHeardOnTheLoopInItsOrder) {
  inbox->put_listening(1);
  inbox->put_lines({}, "1 a b\n");
  inbox->put_cancel({}, "w");
  inbox->put_joined({}, "s");
  EXPECT_EQ(heard.news, "");
  turn();
  EXPECT_EQ(heard.news, "listening lines cancel joined ");
}

TEST_F(LoopInbox, ALoopThatDoesNotKeepUpHearsThatItMissedSomething) {
  const std::string lines(1024 * 1024, 'x');
  for (int i = 0; i < 40; ++i) inbox->put_lines({}, lines);
  inbox->put_listening(1);
  inbox->put_read(2);
  turn();
  EXPECT_TRUE(heard.news.ends_with("lines listening read missed ")) << heard.news;
  EXPECT_LE(heard.bytes, Inbox::bytes_max + lines.size());
  heard.news.clear();
  inbox->put_lines({}, lines);
  turn();
  EXPECT_EQ(heard.news, "lines ");
}

TEST_F(LoopInbox, NothingIsHeardOnceItIsClosed) {
  inbox->put_lines({}, "1 a b\n");
  inbox->close();
  inbox->put_lines({}, "2 a b\n");
  turn();
  EXPECT_EQ(heard.news, "");
}

}  // namespace
}  // namespace millrace::disk
