"""Child processes of ops/run and of the tests: started with their output in a file, signalled by
pid, ended with the process that started them (PR_SET_PDEATHSIG)."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BINARY = Path(os.environ.get("MILLRACE_BINARY", ROOT / "build" / "release" / "millrace"))


class StartFailed(Exception):
    """A server did not come up; the message says why and where its log is."""


def free_port():
    """A loopback port nobody listens on, below the range from which the kernel takes the ports
    of outgoing connections, so that it stays free until the server that gets it has started."""
    for _ in range(1000):
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port
    raise StartFailed("found no free port between 15000 and 32000")


def wait_until(true, seconds, every=0.02):
    """True as soon as `true()` is; False when it has not become so in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(every)
    return True


class Process:
    """A child process in a session of its own, its output in a file."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / f"{name}.log"
        self.child = None

    def spawn(self, argv, env=None, stdout=None, cwd=None):
        """Starts the process; stderr, and stdout unless given, are appended to `self.log`."""
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *map(str, argv)],
                stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log, env=env, cwd=cwd,
                start_new_session=True)

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def signal(self, number):
        if self.alive():
            self.child.send_signal(number)

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """kill -9."""
        self.signal(signal.SIGKILL)
        if self.child is not None:
            self.child.wait()

    def stop(self, seconds=15):
        """SIGTERM, then kill -9 when it has not ended in time. Returns its exit code."""
        self.thaw()
        self.signal(signal.SIGTERM)
        if self.child is None:
            return None
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.child.returncode

    def last_words(self, lines=40):
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def wait_ready(self, answers, seconds):
        ended = wait_until(lambda: answers() or not self.alive(), seconds)
        if not ended or not self.alive():
            what = "was not ready in time" if self.alive() else f"ended ({self.child.returncode})"
            raise StartFailed(f"{self.name} {what}; {self.log} ends:\n{self.last_words()}")


class Millrace(Process):
    """`millrace COMMAND` with its settings in the environment."""

    def __init__(self, command, folder, settings, name=None, env=None, cwd=None):
        super().__init__(name or command, folder)
        self.command = command
        self.settings = {key: str(value) for key, value in settings.items()}
        self.env = dict(os.environ if env is None else env)
        self.url = None
        self.cwd = cwd or self.folder
        self._log_start = 0

    def start(self, *flags):
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        self.spawn([BINARY, self.command, *flags], env=self.env | self.settings,
                   cwd=self.cwd)
        return self

    def said(self):
        """What it has written since it was started."""
        with open(self.log, errors="replace") as log:
            log.seek(self._log_start)
            return log.read()

    def start_listening(self, *flags, seconds=20):
        """Starts it and waits for its line `listening on URL`."""
        self.start(*flags)
        self.wait_ready(self._listening, seconds)
        return self

    def _listening(self):
        for line in self.said().splitlines():
            if line.startswith("listening on http"):
                self.url = line.removeprefix("listening on ").strip()
                return True
        return False


@contextlib.contextmanager
def stopped_at_end(*processes):
    """Stops the processes, last first, however the block ends."""
    try:
        yield
    finally:
        for process in reversed(processes):
            process.stop()
