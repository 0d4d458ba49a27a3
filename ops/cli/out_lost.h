#pragma once

namespace millrace::cli {

/// stdout cannot be written any more; the `errno` of the first write that failed, 0 where stdio has
/// lost it.
struct OutLost {
  int error;
};

/// Ends a command whose output is lost: the exit code, and on stderr why. A reader that has left
/// (`| head`) is no failure of ours: 128 + SIGPIPE, as the signal itself gives, and nothing is
/// told.
int exit_for(const OutLost& lost);

/// Writes what stdio still holds for stdout: `code`, or that of an output that was lost.
int exit_once_written(int code);

}  // namespace millrace::cli
