"""A disk that can be filled: a tmpfs of a few megabytes."""

import contextlib
import subprocess

import pytest


class SmallDisk:
    """Mounted on a folder, until the block ends. Needs the right to mount."""

    def __init__(self, folder, megabytes):
        self.folder, self._size = folder, f"size={megabytes}m"
        self._ballast = folder / "ballast"

    def __enter__(self):
        self.folder.mkdir(parents=True)
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", self._size, "millrace-test", self.folder],
            capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            pytest.fail(f"this test fills a tmpfs, and may not mount one: {mounted.stderr.strip()}; "
                        "run it as root, in a container with --cap-add SYS_ADMIN", pytrace=False)
        return self

    def __exit__(self, *_):
        # Lazily: what a failed test left running is only killed after this.
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def fill(self):
        """Nothing more fits."""
        with open(self._ballast, "ab", buffering=0) as file:
            for size in (1024 * 1024, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def make_room(self):
        self._ballast.unlink()
