#include "shared/disk/object_folder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <regex>

#include "shared/runtime/ids.h"
#include "tests/seams/small_disk.h"
#include "tests/shared/disk/temp_folder.h"

namespace millrace::disk {
namespace {

constexpr WallTime now{std::chrono::sys_days(std::chrono::year(2026) / 1 / 2)};
const std::function<bool()> never = [] { return false; };

class ObjectFiles : public testing::Test {
 protected:
  static Result<ObjectInfo> put(ObjectFolder& folder, const std::string& key,
                                const std::string& bytes, std::optional<WallTime> expires_at = {}) {
    const auto draft = folder.draft({"t", key}, expires_at);
    if (!draft) return Failure(draft.error());
    const auto written = (*draft)->write(bytes);
    if (!written) return Failure(written.error());
    return (*draft)->keep(now);
  }
  static Result<std::string> got(const ObjectFolder& folder, const std::string& key,
                                 ByteRange range = {}) {
    const auto object = folder.open({"t", key}, range, now);
    if (!object) return Failure(object.error());
    std::string bytes;
    for (;;) {
      const auto piece = (*object)->read();
      if (!piece) return Failure(piece.error());
      if (piece->empty()) return bytes;
      bytes += *piece;
    }
  }
  /// Every file below the folder, as its path from there.
  std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
      if (entry.is_regular_file())
        found.push_back(std::filesystem::relative(entry.path(), path).string());
    return found;
  }
  std::string file_of(const std::string& key) const {
    return path + "/" + fingerprint("t").substr(0, 32) + "/" + fingerprint(key);
  }
  static void overwrite(const std::string& file, std::streamoff at, const std::string& bytes) {
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(at) << bytes;
  }

  TempFolder temp;
  std::string path = temp / "objects";
};

TEST_F(ObjectFiles, NoByteOfANameIsPartOfAPath) {
  ObjectFolder folder(path);
  ASSERT_TRUE(put(folder, "../../escape", "x"));
  ASSERT_TRUE(put(folder, "이름", "x"));
  for (const auto& file : files())
    EXPECT_TRUE(std::regex_match(file, std::regex("[0-9a-f]{32}/[0-9a-f]{64}"))) << file;
}

TEST_F(ObjectFiles, ADraftThatWasDroppedIsGone) {
  ObjectFolder folder(path);
  {
    const auto draft = folder.draft({"t", "k"}, {});
    ASSERT_TRUE(draft && (*draft)->write("half"));
    EXPECT_EQ(files().size(), 1U);
  }
  EXPECT_TRUE(files().empty());
}

TEST_F(ObjectFiles, ADraftOfALivingProcessOutlivesTheStartOfAnother) {
  ObjectFolder first(path);
  const auto draft = first.draft({"t", "k"}, {});
  ASSERT_TRUE(draft && (*draft)->write("whole"));
  ObjectFolder second(path);
  second.sweep(now, never);
  ASSERT_TRUE((*draft)->keep(now));
  EXPECT_EQ(got(second, "k"), "whole");
}

/// Puts objects, each twice as long as it says half way, and tells of every one that was kept.
[[noreturn]] void put_for_ever(const std::string& path, int told) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ObjectFolder folder(path);
  for (std::uint32_t number = 0;; ++number) {
    const auto draft = folder.draft({"t", std::to_string(number)}, {});
    if (!draft || !(*draft)->write(std::string(3000, 'a')) ||
        !(*draft)->write(std::string(3000, 'b')) || !(*draft)->keep(now) ||
        ::write(told, &number, sizeof number) != sizeof number)
      ::_exit(1);
  }
}

TEST_F(ObjectFiles, AKillLeavesWhatWasKeptAndNothingElse) {
  for (int round = 0; round < 10; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) put_for_ever(path, ends[1]);
    ::close(ends[1]);
    std::uint32_t told = 0;
    for (int i = 0; i <= round; ++i) ASSERT_EQ(::read(ends[0], &told, sizeof told), 4);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    for (std::uint32_t more = 0; ::read(ends[0], &more, sizeof more) == 4;) told = more;
    ::close(ends[0]);

    ObjectFolder folder(path);
    EXPECT_TRUE(std::filesystem::is_empty(path + "/drafts"));
    const auto whole = std::string(3000, 'a') + std::string(3000, 'b');
    for (std::uint32_t number = 0; number <= told; ++number)
      EXPECT_EQ(got(folder, std::to_string(number)), whole);
    const auto kept = folder.list({.tenant = "t"}, now)->objects.size();
    EXPECT_GE(kept, told + 1U);
    for (const auto& object : folder.list({.tenant = "t"}, now)->objects)
      EXPECT_EQ(object.size, whole.size());
  }
}

TEST_F(ObjectFiles, AFullDiskRefusesAndRecovers) {
  ObjectFolder folder(path);
  ASSERT_TRUE(put(folder, "k", "old"));
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto ignored = ::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 10'000;
  ::setrlimit(RLIMIT_FSIZE, &small);
  const auto refused = put(folder, "k", std::string(100'000, 'x'));
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, ignored);
  EXPECT_EQ(refused.error(), Errc::unavailable);
  EXPECT_EQ(got(folder, "k"), "old");
  EXPECT_EQ(files().size(), 1U);
  ASSERT_TRUE(put(folder, "k", std::string(100'000, 'x')));
  EXPECT_EQ(got(folder, "k")->size(), 100'000U);
}

TEST_F(ObjectFiles, ChangedBytesAreNeverTakenForWhatWasPut) {
  ObjectFolder folder(path);
  ASSERT_TRUE(put(folder, "k", std::string(1000, 'x')));
  overwrite(file_of("k"), label_bytes + 500, "y");
  EXPECT_EQ(got(folder, "k").error(), Errc::corrupt);
  EXPECT_TRUE(got(folder, "k", {.from = 0, .size = 10})) << "a part is not checked";
}

TEST_F(ObjectFiles, AChangedLabelIsNoLabel) {
  ObjectFolder folder(path);
  ASSERT_TRUE(put(folder, "k", "bytes"));
  for (const std::streamoff at : {0, 9, 13, 17, 30, 50, 104, 105, 4000}) {
    ASSERT_TRUE(put(folder, "k", "bytes"));
    overwrite(file_of("k"), at, "\x5a");
    EXPECT_EQ(got(folder, "k").error(), Errc::corrupt) << at;
  }
  EXPECT_TRUE(folder.list({.tenant = "t"}, now)->objects.empty());
}

TEST_F(ObjectFiles, AShortenedFileIsCorrupt) {
  ObjectFolder folder(path);
  for (const std::uintmax_t left :
       {std::uintmax_t{0}, std::uintmax_t{100}, label_bytes, label_bytes + std::uintmax_t{999}}) {
    ASSERT_TRUE(put(folder, "k", std::string(1000, 'x')));
    std::filesystem::resize_file(file_of("k"), left);
    EXPECT_EQ(got(folder, "k").error(), Errc::corrupt) << left;
  }
}

TEST_F(ObjectFiles, AFileUnderAnothersNameIsRefused) {
  ObjectFolder folder(path);
  ASSERT_TRUE(put(folder, "mine", "secret"));
  std::filesystem::copy_file(file_of("mine"), file_of("yours"));
  EXPECT_EQ(got(folder, "yours").error(), Errc::corrupt);
}

TEST_F(ObjectFiles, AFullDiskIsNamedUntilThereIsRoom) {
  const SmallDisk disk(path);
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs (run as root): " << strerror(errno);
  ObjectFolder folder(disk.path("objects"));
  disk.fill();
  EXPECT_EQ(put(folder, "large", std::string(100'000, 'x')).error(), Errc::full);
  disk.make_room();
  EXPECT_TRUE(put(folder, "large", std::string(100'000, 'x')));
}

TEST_F(ObjectFiles, TheSweepRemovesWhatHasExpiredAndNothingElse) {
  ObjectFolder folder(path);
  ASSERT_TRUE(put(folder, "stays", "x"));
  ASSERT_TRUE(put(folder, "later", "x", now + 2h));
  ASSERT_TRUE(put(folder, "sooner", "x", now + 1h));
  ASSERT_TRUE(put(folder, "anew", "x", now + 1h));
  ASSERT_TRUE(put(folder, "anew", "y", now + 3h));
  EXPECT_EQ(folder.sweep(now, never), 0U);
  EXPECT_EQ(folder.sweep(now + 1h, never), 1U);
  EXPECT_EQ(files().size(), 3U);
  EXPECT_EQ(folder.sweep(now + 2h, never), 1U);
  EXPECT_EQ(folder.sweep(now + 1000h, [] { return true; }), 0U);
  EXPECT_EQ(folder.sweep(now + 1000h, never), 1U);
  EXPECT_EQ(got(folder, "stays"), "x");
}

TEST_F(ObjectFiles, AFolderThatCannotBeIsNamed) {
  std::ofstream(path) << "a file";
  try {
    const ObjectFolder folder(path);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace millrace::disk
