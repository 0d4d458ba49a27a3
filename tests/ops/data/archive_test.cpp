#include "ops/data/archive.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

namespace millrace {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class ArchiveTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "millrace-archive-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file() const { return folder_ / "archive"; }
  ArchiveWriter writer() const {
    return {disk::File(::open(file().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)),
            WallTime(1'800'000'000s)};
  }
  ArchiveReader reader() const {
    return ArchiveReader(disk::File(::open(file().c_str(), O_RDONLY | O_CLOEXEC)));
  }
  static std::string name_of(int number) { return "objects/" + std::to_string(number); }
  void write(int files) const {
    auto archive = writer();
    for (int i = 0; i < files; ++i) archive.add(name_of(i), std::to_string(i));
    archive.finish();
  }

 private:
  fs::path folder_;
};

TEST_F(ArchiveTest, what_was_written_is_read_and_the_sums_of_however_many_files_are_compared) {
  for (const int files : {0, 1, 5000}) {
    write(files);
    auto archive = reader();
    for (int i = 0; i < files; ++i) {
      const auto entry = archive.next();
      ASSERT_TRUE(entry);
      EXPECT_EQ(entry->name, name_of(i));
      EXPECT_EQ(archive.text(), std::to_string(i));
    }
    EXPECT_FALSE(archive.next());
  }
}

TEST_F(ArchiveTest, sums_that_are_others_or_fewer_or_more_are_noticed) {
  const auto read_all = [this] {
    auto archive = reader();
    while (archive.next()) {
    }
  };
  const auto put = [](const fs::path& path, std::uint64_t at, std::string_view bytes) {
    const disk::File file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(file.fd(), bytes.data(), bytes.size(), static_cast<off_t>(at)),
              static_cast<ssize_t>(bytes.size()));
  };
  constexpr std::uint64_t file_bytes = 2 * tar::block_bytes;
  constexpr std::uint64_t line_bytes = 64 + 2 + 9 + 1;
  const std::uint64_t sums_at = 3 * file_bytes;
  const auto sized = [](std::uint64_t size) {
    const auto head = tar::header({"SHA256SUMS", size}, WallTime(1'800'000'000s));
    return std::string(head.data(), head.size());
  };
  write(3);
  EXPECT_NO_THROW(read_all());
  for (std::uint64_t at = 0; at < 3 * line_bytes; ++at) {
    write(3);
    put(file(), sums_at + tar::block_bytes + at, "#");
    EXPECT_THROW(read_all(), std::runtime_error) << at;
  }
  for (const auto size :
       {std::uint64_t{0}, 2 * line_bytes, 3 * line_bytes - 1, 3 * line_bytes + 1}) {
    write(3);
    put(file(), sums_at, sized(size));
    EXPECT_THROW(read_all(), std::runtime_error) << size;
  }
}

}  // namespace
}  // namespace millrace
