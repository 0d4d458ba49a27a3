"""What run and tests rely on: children end when they are told to, and never outlive their parent."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

OPS = Path(__file__).resolve().parents[2] / "ops"
sys.path.insert(0, str(OPS))
from process import Process, StartFailed, free_port, stopped_at_end, wait_until  # noqa: E402

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(60)"


def python(folder, code, name="child"):
    process = Process(name, folder)
    process.spawn([sys.executable, "-c", code])
    return process


def test_a_child_that_ignores_sigterm_is_killed_in_time(tmp_path):
    child = python(tmp_path, STUBBORN)
    assert wait_until(lambda: "on" in child.last_words(), 10)
    began = time.monotonic()
    child.stop(0.3)
    assert not child.alive() and time.monotonic() - began < 5


def test_a_frozen_child_can_be_stopped(tmp_path):
    child = python(tmp_path, "import time; time.sleep(60)")
    child.freeze()
    child.stop(5)
    assert not child.alive()


def test_children_end_with_a_parent_that_was_killed(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import sys, time; sys.path.insert(0, {str(OPS)!r})\n"
         f"from process import Process\nchild = Process('c', {str(tmp_path)!r})\n"
         "child.spawn(['sleep', '60'])\nprint(child.pid, flush=True)\ntime.sleep(60)"],
        stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(parent.stdout.readline()))
    assert wait_until(lambda: child.name() == "sleep", 5)
    parent.kill()
    parent.wait()
    assert wait_until(lambda: not child.is_running() or child.status() == "zombie", 5)


def test_a_start_that_fails_says_why_and_shows_the_log(tmp_path):
    child = python(tmp_path, "import sys; print('no such disk', file=sys.stderr); sys.exit(3)")
    with pytest.raises(StartFailed, match=r"child ended \(3\)[^$]*no such disk"):
        child.wait_ready(lambda: False, 10)


def test_all_are_stopped_however_the_block_ends(tmp_path):
    children = [python(tmp_path, "import time; time.sleep(60)", f"c{n}") for n in range(2)]
    with pytest.raises(RuntimeError):
        with stopped_at_end(*children):
            raise RuntimeError
    assert not any(child.alive() for child in children)


def test_a_free_port_can_be_listened_on():
    for _ in range(20):
        with socket.create_server(("127.0.0.1", free_port())):
            pass
