// simulate: runs worlds from seeds until one breaks a promise.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string>

#include "shared/runtime/log.h"
#include "tests/simulation/run.h"

namespace {

using namespace millrace;
using namespace millrace::sim;

constexpr const char* usage =
    R"(usage: simulate [--seeds N] [--from S] [--planted NAME] [--trace LINES] [--list-planted]

  --seeds N        so many worlds (1)
  --from S         the first seed (0)
  --planted NAME   with this bug; succeeds when it is found. all: each in turn, a line each;
                   succeeds when all are found
  --trace LINES    so many of the last events of a failure; 0: all (40)
)";

struct Wanted {
  std::uint64_t seeds = 1;
  std::uint64_t from = 0;
  std::size_t trace = 40;
  const Planted* planted = nullptr;
  bool all_planted = false;
};

std::optional<std::uint64_t> number(const char* text) {
  std::uint64_t value = 0;
  const char* const end = text + std::strlen(text);
  const auto [at, error] = std::from_chars(text, end, value);
  if (error != std::errc() || at != end) return std::nullopt;
  return value;
}

int list_planted() {
  for (const auto& one : all_planted())
    std::printf("%-24s %s\n", std::string(one.name).c_str(), std::string(one.what).c_str());
  return 0;
}

std::optional<Wanted> read(int argc, char** argv) {
  Wanted wanted;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const auto value = number(argv[i + 1]);
    if (name == "--seeds" && value) {
      wanted.seeds = *value;
    } else if (name == "--from" && value) {
      wanted.from = *value;
    } else if (name == "--trace" && value) {
      wanted.trace = *value;
    } else if (name == "--planted" && std::string_view(argv[i + 1]) == "all") {
      wanted.all_planted = true;
    } else if (name == "--planted" && find_planted(argv[i + 1])) {
      wanted.planted = find_planted(argv[i + 1]);
    } else {
      return std::nullopt;
    }
  }
  if (argc % 2 == 0) return std::nullopt;
  return wanted;
}

int run(const Wanted& wanted) {
  RunOptions options{.mistakes = {}, .events_kept = wanted.trace};
  if (wanted.planted) wanted.planted->plant(options.mistakes);
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  for (std::uint64_t seed = wanted.from; seed < wanted.from + wanted.seeds; ++seed) {
    const Report report = run_seed(seed, options);
    hash = hash * 31 + report.hash;
    events += report.events;
    if (!report.broken) continue;
    const auto planted = wanted.planted ? wanted.planted->name : std::string_view();
    std::fputs(told(report, planted).c_str(), stdout);
    return wanted.planted ? 0 : 1;
  }
  std::printf("%llu seeds from %llu: no promise broken; %llu events, hash %016llx\n",
              static_cast<unsigned long long>(wanted.seeds),
              static_cast<unsigned long long>(wanted.from), static_cast<unsigned long long>(events),
              static_cast<unsigned long long>(hash));
  return wanted.planted ? 1 : 0;
}

int find_all(const Wanted& wanted) {
  std::size_t found = 0;
  for (const Planted& bug : all_planted()) {
    RunOptions options{.mistakes = {}, .events_kept = 1};
    bug.plant(options.mistakes);
    const auto report = first_broken(wanted.from, wanted.seeds, options);
    if (report) ++found;
    const std::string seed = report ? std::to_string(report->seed) : "not found";
    const std::string how = report ? report->broken->promise + ": " + report->broken->how : "";
    std::printf("%-24s %-10s %s\n", std::string(bug.name).c_str(), seed.c_str(), how.c_str());
    std::fflush(stdout);
  }
  std::printf("%zu of %zu planted bugs found in %llu seeds from %llu\n", found,
              all_planted().size(), static_cast<unsigned long long>(wanted.seeds),
              static_cast<unsigned long long>(wanted.from));
  return found == all_planted().size() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--list-planted") == 0) return list_planted();
  const auto wanted = read(argc, argv);
  if (!wanted) {
    std::fputs(usage, stderr);
    return 2;
  }
  log::open(log::Level::error, false);
  return wanted->all_planted ? find_all(*wanted) : run(*wanted);
}
