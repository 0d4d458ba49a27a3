#pragma once

namespace millrace::cli {

/// What a script learns from how a command ended; `--help` lists them.
enum class Exit : int {
  succeeded = 0,
  failed = 1,       ///< the job failed; a check, a backup or a restore did; stdout was lost
  usage = 2,        ///< the words do not make sense, or the edge refused the request
  unreachable = 3,  ///< no edge answers, or it cannot serve for now
  not_found = 4,
  ended = 5,  ///< the job was cancelled or has expired
};

constexpr int code(Exit exit) {
  return static_cast<int>(exit);
}

inline constexpr const char* exit_codes =
    "Exit codes: 0 succeeded, 1 the job (or check) failed, 2 wrong usage or a refused request,\n"
    "3 the edge cannot be reached or cannot serve now, 4 not found, 5 cancelled or expired,\n"
    "130 left by Ctrl-C, which leaves the job alone.";

}  // namespace millrace::cli
