#!/usr/bin/env python3
"""The main job of ./ops/run: Redis, Kafka, the model simulator, an edge and a worker, in the
foreground, logs prefixed, data kept under build/run; Ctrl-C or SIGTERM stops all of it."""

import argparse
import collections
import errno
import fcntl
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from process import BINARY, ROOT, Millrace, StartFailed, wait_until
from servers import Kafka, Redis

STOP_SECONDS = 10
FALLS_MAX = 20  # of one process; who falls more often will not stand


class Stop(Exception):
    """Somebody asked for the end."""


def ask_to_stop(*_):
    raise Stop


def say(text):
    print(f"run: {text}", flush=True)


def settings_in_force():
    """Every setting as `millrace config` has it: environment, .env and defaults."""
    shown = subprocess.run([BINARY, "config"], capture_output=True, text=True, check=False)
    if shown.returncode != 0:
        raise StartFailed(shown.stderr.strip())
    lines = re.findall(r"^(\w+) += (.*)  \(.*\)$", shown.stdout, re.MULTILINE)
    return dict(lines)


def lock_data(data):
    """Two stacks on one folder would break each other's data. The lock ends with the process."""
    lock = open(data / "lock", "a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        raise StartFailed(f"another ./ops/run (pid {lock.read().strip()}) uses {data}") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def refuse_port_in_use(host, port):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise StartFailed(f"cannot listen on {host}:{port}: {error.strerror}") from None
            raise StartFailed(f"port {port} of {host} is in use; "
                              f"PORT={port + 1} ./ops/run takes another") from None


def kept_secret(data):
    """Signs stream URLs; kept with the data so that they outlive a restart."""
    file = data / "secret"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(32))
    return file.read_text()


def answers_ready(url):
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


class Stack:
    """What runs, in the order in which it was started."""

    def __init__(self, data):
        self.data = data
        self.parts = []
        self.shown = {}
        self.lock = None  # held until the process ends
        self.falls = collections.Counter()

    def start_all(self):
        in_force = settings_in_force()
        host, port = in_force["host"], int(in_force["port"])
        refuse_port_in_use(host, port)
        settings = {"MILLRACE_DATA": self.data / "data"}
        if "MILLRACE_SECRET" not in os.environ:
            settings["MILLRACE_SECRET"] = kept_secret(self.data)
        if "MILLRACE_DRAIN_GRACE" not in os.environ:
            settings["MILLRACE_DRAIN_GRACE"] = "5s"

        if not in_force.get("redis_url"):
            redis = self.add(Redis(self.data / "redis"))
            say(f"starting Redis on port {redis.port} (log: {redis.log})")
            settings["REDIS_URL"] = redis.start().url
        if not in_force.get("kafka_brokers"):
            kafka = self.add(Kafka(self.data / "kafka"))
            say(f"starting Kafka on port {kafka.port} (log: {kafka.log})")
            settings["KAFKA_BROKERS"] = kafka.start().brokers
        self.migrate(settings)
        if not in_force.get("llm_server_url"):
            simulator = self.part("llm-sim", settings)
            settings["LLM_SERVER_URL"] = simulator.start_listening().url
            say(f"no LLM_SERVER_URL: the model is the simulator on {simulator.url}")
        edge = self.part("edge", settings)
        edge.start_listening(seconds=60)
        self.part("worker", settings).start()
        self.wait_ready(edge)
        self.tell_how_to_use_it(edge.url)

    def add(self, part):
        self.parts.append(part)
        return part

    def part(self, command, settings):
        part = self.add(Millrace(command, self.data / "logs", settings, cwd=os.getcwd()))
        self.shown[part] = part.log.stat().st_size if part.log.exists() else 0
        return part

    def migrate(self, settings):
        say("creating topics and tables (millrace migrate)")
        migration = Millrace("migrate", self.data / "logs", settings, cwd=os.getcwd())
        migration.start().child.wait()
        if migration.child.returncode != 0:
            raise StartFailed(f"millrace migrate failed:\n{migration.said()}")

    def wait_ready(self, edge):
        def ready():
            self.show_logs()
            return answers_ready(edge.url) or self.ended() is not None
        if not wait_until(ready, 60, every=0.2):
            raise StartFailed(f"{edge.url}/readyz did not answer 200 within 60 s")
        self.stop_if_one_ended()

    def tell_how_to_use_it(self, url):
        say(f"ready: {url}")
        say("try:   curl -N -H 'Accept: text/event-stream' -H 'Content-Type: application/json' "
            f"""-d '{{"input":"Why is the sky blue?","model":"sim-200ms-60tok-50gap"}}' {url}/v1/jobs""")
        say("Ctrl-C stops everything")

    def ended(self):
        return next((part for part in self.parts if not part.alive()), None)

    def show_logs(self):
        for part, position in self.shown.items():
            with open(part.log, "rb") as log:
                log.seek(position)
                lines, _, _ = log.read().rpartition(b"\n")
            if lines:
                self.shown[part] = position + len(lines) + 1
                for line in lines.decode(errors="replace").split("\n"):
                    print(f"{part.name:7} | {line}")
                sys.stdout.flush()

    def start_killed_again(self):
        """An edge or a worker that was killed comes back, and the jobs go on: unless it falls at
        once, each time."""
        for part in self.parts:
            if part.alive() or getattr(part, "command", "") not in ("edge", "worker"):
                continue
            if part.child.returncode >= 0 or self.falls[part] >= FALLS_MAX:
                continue
            self.falls[part] += 1
            say(f"{part.name} was killed (signal {-part.child.returncode}): starting it again")
            self.shown[part] = part.log.stat().st_size
            part.start()

    def stop_if_one_ended(self):
        ended = self.ended()
        if ended is not None:
            raise StartFailed(f"{ended.name} ended by itself ({ended.child.returncode}); "
                              f"its log: {ended.log}")

    def watch(self):
        while True:
            self.show_logs()
            self.start_killed_again()
            self.stop_if_one_ended()
            time.sleep(0.1)

    def stop_all(self):
        """The edge and the worker first and at once, the servers they need after them."""
        millraces = [part for part in self.parts if isinstance(part, Millrace)]
        for part in reversed(millraces):
            part.signal(signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        for part in reversed(self.parts):
            seconds = max(0.1, end - time.monotonic()) if part in millraces else STOP_SECONDS
            part.stop(seconds)
            self.show_logs()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=ROOT / "build" / "run")
    data = arguments.parse_args().data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)
    stack = Stack(data)
    try:
        stack.lock = lock_data(data)
        stack.start_all()
        stack.watch()
    except Stop:
        say("stopping")
        code = 0
    except StartFailed as failure:
        stack.show_logs()
        print(f"run: {failure}", file=sys.stderr)
        code = 1
    try:
        stack.stop_all()
    except Stop:
        say("stopping at once")
        for part in stack.parts:
            part.kill()
    say("stopped")
    sys.exit(code)


if __name__ == "__main__":
    main()
