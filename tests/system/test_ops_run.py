"""The main job of ./ops/run: it comes up, the line it prints works, and nothing of it stays."""

import os
import re
import signal
import socket
import subprocess
import sys

import psutil
import pytest
from process import ROOT, Process, free_port, wait_until
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


def test_a_port_in_use_is_said_before_anything_starts(stack):
    with socket.create_server(("127.0.0.1", stack.port)):
        stack.start()
        assert stack.child.wait(20) == 1
    assert f"port {stack.port} of 127.0.0.1 is in use" in stack.said()
    assert "starting" not in stack.said()
