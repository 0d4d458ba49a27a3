"""The main job of ./ops/run: it comes up, the line it prints works, and nothing of it stays."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys

import httpx
import psutil
import pytest
from process import BINARY, ROOT, Process, free_port, wait_until
from world import web

STACK = ROOT / "ops" / "stack.py"


class Stack(Process):
    def __init__(self, folder, port):
        super().__init__("stack", folder)
        self.port = port

    def start(self):
        settings = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        settings |= {"PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        if "MILLRACE_BINARY" in os.environ:
            settings["MILLRACE_BINARY"] = os.environ["MILLRACE_BINARY"]
        self.log.unlink(missing_ok=True)
        self.spawn([sys.executable, STACK, "--data", self.folder / "data"], env=settings,
                   cwd=self.folder)
        return self

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def wait_printed(self):
        self.wait_ready(lambda: "run: try:" in self.said(), 60)
        return self


@pytest.fixture
def stack(tmp_path):
    stack = Stack(tmp_path, free_port())
    yield stack
    stack.stop(20)


def everyone_under(process):
    return psutil.Process(process.pid).children(recursive=True)


def test_it_runs_a_job_starts_again_on_its_data_and_leaves_nothing_running(stack):
    stack.start().wait_printed()
    line = re.search(r"run: try: +(curl .*)", stack.said()).group(1)
    streamed = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=40,
                              check=True).stdout
    assert "event: delta\n" in streamed and "event: done\n" in streamed
    job_id = re.search(r'"job":"([^"]+)"', streamed).group(1)

    children = everyone_under(stack)
    assert len(children) >= 5, "Redis, Kafka, simulator, edge and worker"
    stack.signal(signal.SIGINT)
    assert stack.child.wait(30) == 0, stack.said()
    assert wait_until(lambda: not any(child.is_running() for child in children), 5)

    stack.start().wait_printed()
    job = web.get(f"http://127.0.0.1:{stack.port}/v1/jobs/{job_id}", timeout=10).json()
    assert job["status"] == "succeeded"

    second = Stack(stack.folder / "second", free_port())
    second.spawn([sys.executable, STACK, "--data", stack.folder / "data"])
    assert second.child.wait(20) == 1
    assert f"another ./ops/run (pid {stack.pid})" in second.last_words()

    children = everyone_under(stack)
    stack.kill()
    assert wait_until(lambda: not any(child.is_running() for child in children), 10)


def test_an_edge_or_a_worker_that_is_killed_comes_back(stack):
    stack.start().wait_printed()
    url = f"http://127.0.0.1:{stack.port}"
    for command in ("worker", "edge"):
        (killed,) = [one for one in everyone_under(stack) if command in one.cmdline()[1:2]]
        killed.kill()
        assert wait_until(lambda: f"{command} was killed" in stack.said(), 10)
    assert wait_until(lambda: answers(f"{url}/readyz"), 20)
    done = web.post(f"{url}/v1/jobs", json={"input": "hi", "model": "sim-5ms-5tok-1gap"},
                    headers={"Prefer": "wait=30"}, timeout=40).json()
    assert done["status"] == "succeeded"


def answers(url):
    try:
        return web.get(url, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def test_a_port_in_use_is_said_before_anything_starts(stack):
    with socket.create_server(("127.0.0.1", stack.port)):
        stack.start()
        assert stack.child.wait(20) == 1
    assert f"port {stack.port} of 127.0.0.1 is in use" in stack.said()
    assert "starting" not in stack.said()


# --- without --kafka: one process


class Run(Process):
    """ops/run in a tree of its own, where the millrace that is tested counts as built; what it
    asks setup and build for is in `asked`."""

    def __init__(self, folder):
        super().__init__("run", folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.asked = folder / "asked"
        (folder / "ops").mkdir()
        shutil.copy(ROOT / "ops" / "run", folder / "ops")
        for name in ("setup", "build"):
            script = folder / "ops" / name
            script.write_text(f'#!/bin/sh\necho {name} "$@" >> "{self.asked}"\n')
            script.chmod(0o755)
        (folder / "build" / "release").mkdir(parents=True)
        (folder / "build" / "release" / "millrace").symlink_to(BINARY.absolute())

    def start(self, **settings):
        """Returns once it serves; it is started from elsewhere, as people do."""
        self.log.unlink(missing_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.spawn([self.folder / "ops" / "run"], env=kept | {"PORT": str(self.port)} | settings,
                   cwd="/")
        self.wait_ready(lambda: "try: curl" in self.said(), 20)

    def said(self):
        return self.log.read_text() if self.log.exists() else ""


@pytest.fixture
def run(tmp_path):
    run = Run(tmp_path)
    yield run
    run.stop(20)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
def test_plain_it_serves_from_one_process_until_it_is_stopped_and_keeps_its_data(run, how):
    run.start(MILLRACE_DATA="")
    assert run.asked.read_text().split("\n") == ["setup serve", "build millrace", ""]
    assert f"listening on {run.url}\n" in run.said()
    line = re.search(r"^try: (curl .*)$", run.said(), re.MULTILINE)[1]
    assert f"{run.url}/v1/jobs" in line
    streamed = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=40,
                              check=True).stdout
    assert "event: delta\n" in streamed and "event: done\n" in streamed
    job_id = re.search(r'"job":"([^"]+)"', streamed)[1]

    assert everyone_under(run) == [], "it is the one process"
    run.signal(how)
    assert run.child.wait(30) == 0, run.said()
    assert (run.folder / "build" / "run" / "serve" / "millrace.db").exists()

    run.start()
    job = web.get(f"{run.url}/v1/jobs/{job_id}", timeout=10).json()
    assert job["status"] == "succeeded"
    again = web.get(f"{run.url}/v1/jobs/{job_id}/events", timeout=10,
                    headers={"Accept": "text/event-stream"}).text
    assert "event: delta\n" in again and "event: done\n" in again


def test_plain_it_keeps_its_data_where_it_is_told(run, tmp_path):
    run.start(MILLRACE_DATA=str(tmp_path / "mine"))
    assert (tmp_path / "mine" / "millrace.db").exists()
    assert not (run.folder / "build" / "run" / "serve").exists()


def test_a_build_that_fails_ends_it_with_what_the_build_says(run):
    (run.folder / "ops" / "build").write_text("#!/bin/sh\necho it does not compile >&2\nexit 3\n")
    run.spawn([run.folder / "ops" / "run"], cwd="/")
    assert run.child.wait(20) == 3
    assert "it does not compile" in run.said() and "listening" not in run.said()
