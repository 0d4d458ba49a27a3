#include "tests/simulation/planted.h"

#include <algorithm>
#include <array>

namespace millrace::sim {
namespace {

constexpr std::array planted{
    Planted{"off-by-one-resume", "a reader that comes back misses one event",
            [](Mistakes& all) { all.resumes_one_late = true; }},
    Planted{"repeated-resume", "a reader that comes back gets an event twice",
            [](Mistakes& all) { all.resumes_one_early = true; }},
    Planted{"wrong-lease-clock", "the holder's clock stands still while its process is stopped",
            [](Mistakes& all) { all.lease_clock_stops = true; }},
    Planted{"stale-relay-cache", "the relay believes for ever what the Store said first",
            [](Mistakes& all) { all.relay_cache_is_stale = true; }},
    Planted{"missing-fence", "append takes the token of a lease that another has taken",
            [](Mistakes& all) { all.adapters.missing_fence = true; }},
    Planted{"append-twice", "an append whose answer was lost is written again",
            [](Mistakes& all) { all.adapters.repeat_appends_again = true; }},
    Planted{"numbers-start-over", "after a loss of the log events are numbered from 1 again",
            [](Mistakes& all) { all.adapters.numbers_start_over = true; }},
    Planted{"gap-ignored", "after a loss of the log the holder goes on as if nothing had happened",
            [](Mistakes& all) { all.adapters.gap_is_not_told = true; }},
    Planted{"no-renewal", "a lease is never prolonged by a holder that writes nothing",
            [](Mistakes& all) { all.adapters.no_renewal = true; }},
    Planted{"cancel-lost", "the wish to cancel reaches neither record nor holder",
            [](Mistakes& all) { all.adapters.cancel_wakes_nobody = true; }},
    Planted{"double-terminal", "the Store lets a second outcome replace the first",
            [](Mistakes& all) { all.adapters.last_finish_wins = true; }},
    Planted{"end-before-finish", "readers are told the end before the Store has decided",
            [](Mistakes& all) { all.adapters.finish_is_late = true; }},
    Planted{"duplicate-not-dropped", "begin does not know that the job has ended",
            [](Mistakes& all) { all.adapters.end_is_forgotten = true; }},
    Planted{"accept-before-stored", "202 before the queue has the job",
            [](Mistakes& all) { all.adapters.accepts_before_stored = true; }},
    Planted{"commit-before-complete", "a delivery counts as finished when it is handed out",
            [](Mistakes& all) { all.adapters.commits_when_handed_out = true; }},
    Planted{"dropped-retry", "a job that is to be tried again is not",
            [](Mistakes& all) { all.adapters.retry_is_dropped = true; }},
    Planted{"retry-breaks-order", "the next of a session runs while a retry waits",
            [](Mistakes& all) { all.adapters.retry_frees_its_key = true; }},
    Planted{"lost-wake-up", "nobody wakes a delivery that was put off",
            [](Mistakes& all) { all.adapters.put_off_sleeps_on = true; }},
};

}  // namespace

std::span<const Planted> all_planted() {
  return planted;
}

const Planted* find_planted(std::string_view name) {
  const auto* const found = std::ranges::find(planted, name, &Planted::name);
  return found == planted.end() ? nullptr : found;
}

}  // namespace millrace::sim
