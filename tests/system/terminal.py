"""A command on a terminal, as a person sees it."""

import os
import pty
import select
import subprocess
import time


class Terminal:
    """Runs `argv` with stdin, stdout and stderr on one terminal and keeps what it writes."""

    def __init__(self, argv, env, cwd):
        self.text = ""
        self._master, slave = pty.openpty()
        self.child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=slave, stdout=slave,
                                      stderr=slave, start_new_session=True)
        os.close(slave)

    def read_until(self, done, seconds=20):
        """Until `done(text)`, or the terminal is closed. True when it was done."""
        end = time.monotonic() + seconds
        while not done(self.text):
            assert time.monotonic() < end, f"not within {seconds} s: {self.text!r}"
            if not select.select([self._master], [], [], 0.1)[0]:
                continue
            try:
                got = os.read(self._master, 65536)
            except OSError:  # EIO: nobody holds the other end
                return done(self.text)
            self.text += got.decode(errors="replace")
        return True

    def press(self, keys):
        os.write(self._master, keys.encode())

    def end(self, seconds=20):
        """All it wrote, and its exit code."""
        self.read_until(lambda text: False, seconds)
        return self.text, self.child.wait(seconds)

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        os.close(self._master)
