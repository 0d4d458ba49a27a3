"""What every line of the bench runs in: one Kafka, one Redis (AOF on), one fake model, and
processes whose CPU and memory are counted over their whole tree."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "ops"))
from process import Process, free_port, wait_until  # noqa: E402
import servers  # noqa: E402

OUT = ROOT / "build" / "bench"
BIN = OUT / "bin"
MILLRACE = ROOT / "build" / "release" / "millrace"


def http(url, method="GET", body=None, timeout=10, content_type="application/json"):
    request = urllib.request.Request(url, data=body, method=method,
                                     headers={"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.read()


def tree(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    return []


def cpu_seconds(*processes):
    total = 0.0
    for process in processes:
        for member in tree(process.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = member.cpu_times()
                total += times.user + times.system
    return total


def resident_mb(*processes):
    total = 0
    for process in processes:
        for member in tree(process.pid):
            with contextlib.suppress(psutil.NoSuchProcess):
                total += member.memory_info().rss
    return total / 1e6


class PeakMemory:
    """The largest sum of resident memory, sampled ten times a second while the block runs."""

    def __init__(self, *processes):
        self.processes = processes
        self.mb = 0.0
        self._over = threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _sample(self):
        while not self._over.wait(0.1):
            self.mb = max(self.mb, resident_mb(*self.processes))


class World:
    """Kafka, Redis and the fake model, and names that no two runs share."""

    def __init__(self, folder):
        self.folder = folder
        self.kafka = servers.Kafka(folder / "kafka")
        self.redis = servers.Redis(folder / "redis")
        self.model = Process("fakellm", folder / "fakellm")
        self.model_port = free_port()
        self._runs = 0

    def __enter__(self):
        self.kafka.start()
        self.redis.start()
        self.model.spawn([BIN / "fakellm", "-addr", f"127.0.0.1:{self.model_port}"])
        self.model.wait_ready(lambda: self._model_answers(), 10)
        return self

    def __exit__(self, *_):
        for process in (self.model, self.redis, self.kafka):
            process.stop()

    def _model_answers(self):
        with contextlib.suppress(OSError):
            return bool(http(self.model_url + "/stats"))
        return False

    @property
    def model_url(self):
        return f"http://127.0.0.1:{self.model_port}"

    def model_stats(self):
        return json.loads(http(self.model_url + "/stats"))

    def env(self, **more):
        return {**os.environ, "KAFKA_BROKERS": self.kafka.brokers,
                "REDIS_ADDR": f"127.0.0.1:{self.redis.port}", "LLM_URL": self.model_url, **more}

    def fresh_name(self):
        """A prefix for topics and groups; whatever ran before is forgotten by Redis and model."""
        self._runs += 1
        self.redis.flush()
        http(self.model_url + "/reset", "POST")
        return f"b{os.getpid()}r{self._runs}"

    def fresh_folder(self, name):
        self._runs += 1
        folder = self.folder / f"{name}{self._runs}"
        folder.mkdir(parents=True)
        return folder

    def peer(self, name, argv, **env):
        process = Process(name, self.folder / "peers")
        process.spawn(argv, env=self.env(**env), cwd=OUT / "node")
        return process

    def millrace(self, role, prefix, *flags):
        process = Process(f"millrace-{role}", self.folder / prefix)
        process.spawn([MILLRACE, role, "--kafka-brokers", self.kafka.brokers, "--redis-url",
                       self.redis.url, "--llm-server-url", self.model_url, "--topic-prefix", prefix,
                       "--group", prefix, "--data", self.folder / prefix / "data",
                       "--log-level", "warn", *flags])
        return process

    def edge(self, prefix):
        """An edge that is ready; its URL is in `url`."""
        port = free_port()
        process = self.millrace("edge", prefix, "--port", str(port))
        process.url = f"http://127.0.0.1:{port}"
        process.wait_ready(lambda: answers(process.url + "/readyz"), 20)
        return process

    def fill(self, topics, *flags):
        return json.loads(run_tool([BIN / "fillkafka", "-topic", topics, *flags], self.env()))


def answers(url):
    with contextlib.suppress(OSError):
        return bool(http(url))
    return False


def run_tool(argv, env=None, timeout=120):
    """Runs a load tool to its end; its last line of output."""
    done = subprocess.run([str(word) for word in argv], env=env, stdout=subprocess.PIPE, text=True,
                          timeout=timeout, check=False)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if not lines:
        raise RuntimeError(f"{argv[0]} said nothing (exit {done.returncode})")
    return lines[-1]


def wait_port(port, seconds=20):
    def open_now():
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return True
        return False
    if not wait_until(open_now, seconds):
        raise RuntimeError(f"nothing listens on {port}")


def job_topics(prefix):
    names = ("jobs.session", "jobs.chat", "jobs.analysis", "jobs.batch", "retry.30s", "retry.2m",
             "retry.10m", "retry.1h", "dead", "results")
    return ",".join(f"{prefix}.{name}" for name in names)


def settle(seconds=0.5):
    time.sleep(seconds)
