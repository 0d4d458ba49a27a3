"""strace, to fail or kill a process at the system calls it makes."""

import re
import shutil
import subprocess

import pytest
from process import Millrace, wait_until

# All that changes a file of the data folder once it is open; `write` is left to those who can do
# without the wake-ups of the loops, which are writes too.
WRITES = ("pwrite64", "pwritev", "pwritev2", "fdatasync", "fsync", "ftruncate", "rename",
          "renameat", "unlink", "unlinkat")


def require_strace():
    if shutil.which("strace") is None:
        pytest.fail("this test needs strace: ops/setup installs it", pytrace=False)


def calls_in(log):
    """What strace noted: thread and name of each call, in their order."""
    return [(int(thread), name)
            for thread, name in re.findall(r"^(\d+) +(\w+)\(", log.read_text(), re.MULTILINE)]


class Attached:
    """strace on a running process and all its threads, or on one thread alone, until the block
    ends. `inject` is what strace takes: `error=EIO:when=3`, counted for each thread and each of
    the calls; without it calls are only noted."""

    def __init__(self, world, pid, calls, inject="", thread=None):
        require_strace()
        self._log, self._said = world.folder / "strace.calls", world.folder / "strace.said"
        self._argv = ["strace", "-o", self._log]
        self._argv += ["-p", thread] if thread else ["-f", "-p", pid]
        self._argv += ["-e", "trace=" + ",".join(calls)]
        self._argv += ["-e", f"inject={','.join(calls)}:{inject}"] if inject else []

    def __enter__(self):
        with open(self._said, "wb") as said:
            self._strace = subprocess.Popen([str(word) for word in self._argv], stderr=said)
        attached = wait_until(lambda: "attached" in self._said.read_text()
                              or self._strace.poll() is not None, 10, every=0.005)
        if not attached or self._strace.poll() is not None:
            pytest.fail(f"strace may not attach: {self._said.read_text().strip()}; run this test "
                        "as root, in a container with --cap-add SYS_PTRACE", pytrace=False)
        return self

    def __exit__(self, *_):
        self._strace.terminate()
        self._strace.wait()

    def calls(self):
        return calls_in(self._log)

    def injected(self):
        return sum("(INJECTED)" in line for line in self._log.read_text().splitlines())


class TracedStart(Millrace):
    """The same command as another part, under strace from its first call on; its pid is its own."""

    def __init__(self, part, calls, inject=""):
        require_strace()
        super().__init__(part.command, part.folder, part.settings, f"traced-{part.name}", part.env)
        self._calls = self.folder / "strace.calls"
        self._argv = ["strace", "-D", "-f", "-o", self._calls, "-e", "trace=" + ",".join(calls)]
        self._argv += ["-e", f"inject={','.join(calls)}:{inject}"] if inject else []

    def spawn(self, argv, **how):
        super().spawn([*self._argv, *argv], **how)

    def calls(self):
        return calls_in(self._calls)
