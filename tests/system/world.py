"""One installation of millrace for one test: its own topics, consumer group, Redis database and
data folder, and as many edges, workers and simulators as the test asks for."""

import os
import secrets
import subprocess
import sys
import time
from pathlib import Path

import httpx
from confluent_kafka.admin import AdminClient

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ops"))
from process import BINARY, Millrace, free_port, wait_until  # noqa: E402
from sse import Event, Reader, read  # noqa: E402,F401

# One client for every request: making one reads every certificate there is. A connection serves
# one request, since its edge may be dead at the next.
web = httpx.Client(verify=False, timeout=20, limits=httpx.Limits(max_keepalive_connections=0))

ENDED = ("succeeded", "failed", "cancelled", "expired")


class World:
    _redis_db = 0

    def __init__(self, redis, kafka, folder, **settings):
        World._redis_db = World._redis_db % 511 + 1
        self.name = f"t{secrets.token_hex(4)}"
        self.redis, self.kafka, self.folder = redis, kafka, Path(folder)
        self.parts = []
        self.edges = []
        self.simulator = None
        self.settings = {
            "KAFKA_BROKERS": kafka.brokers,
            "REDIS_URL": f"{redis.url}/{World._redis_db}",
            "MILLRACE_TOPIC_PREFIX": self.name,
            "MILLRACE_GROUP": self.name,
            "MILLRACE_DATA": self.folder / "data",
            "MILLRACE_SECRET": "a secret of the tests alone, long enough",
            "MILLRACE_DRAIN_GRACE": "5s",
            "MILLRACE_LOG_FORMAT": "json",
        } | settings
        # Nothing of the caller's environment may set anything here.
        self.env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG")
                    if name in os.environ}

    # --- parts

    def migrate(self):
        migration = self._part("migrate", "migrate")
        migration.start().child.wait(60)
        assert migration.child.returncode == 0, migration.said()
        return self

    def start_simulator(self):
        self.simulator = self._part("llm-sim", "llm-sim", MILLRACE_SIM_PORT=free_port())
        self.settings["LLM_SERVER_URL"] = self.simulator.start_listening().url
        return self.simulator

    def start_edge(self, **settings):
        edge = self._part("edge", f"edge{len(self.edges) + 1}", PORT=free_port(), **settings)
        self.edges.append(edge.start_listening())
        self.wait_until(lambda: web.get(f"{edge.url}/readyz").status_code == 200, 20,
                        "the edge is not ready")
        return edge

    def start_worker(self, **settings):
        """A worker that has joined its group may still wait for its share of the partitions."""
        count = sum(part.command == "worker" for part in self.parts)
        return self._part("worker", f"worker{count + 1}", **settings).start()

    def run(self, *words):
        """A command of the program that ends by itself."""
        settings = {name: str(value) for name, value in self.settings.items()}
        return subprocess.run([BINARY, *words], env=self.env | settings, cwd=self.folder,
                              capture_output=True, text=True, timeout=60, check=False)

    def _part(self, command, name, **settings):
        part = Millrace(command, self.folder, self.settings | settings, name=name, env=self.env)
        self.parts.append(part)
        return part

    def stop(self):
        """Nobody is left, and nothing in Kafka."""
        for part in reversed(self.parts):
            part.kill()
        admin = self.kafka_admin()
        mine = [topic for topic in admin.list_topics(timeout=10).topics
                if topic.startswith(self.name + ".")]
        if mine:
            for done in admin.delete_topics(mine).values():
                done.result(20)

    def kafka_admin(self):
        return AdminClient({"bootstrap.servers": self.kafka.brokers} | self.kafka.client)

    def logs(self):
        return "\n".join(f"--- {part.name}\n{part.last_words()}" for part in self.parts)

    # --- what a client does

    @property
    def url(self):
        return self.edges[0].url

    def post(self, body, headers=None, edge=None, seconds=20):
        return web.post(f"{(edge or self.edges[0]).url}/v1/jobs", json=body, headers=headers,
                          timeout=seconds)

    def submit(self, model, input=None, headers=None, edge=None, **fields):
        """The id of a job that was accepted. Its input is its own unless one is given: the
        simulator counts by prompt."""
        body = {"input": input or f"Tell me story {secrets.token_hex(4)}.", "model": model}
        answer = self.post(body | fields, headers, edge)
        assert answer.status_code == 202, f"{answer.status_code} {answer.text}"
        return answer.json()["id"]

    def job(self, job_id, edge=None):
        answer = web.get(f"{(edge or self.edges[0]).url}/v1/jobs/{job_id}", timeout=10)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        return answer.json()

    def cancel(self, job_id, edge=None):
        return web.post(f"{(edge or self.edges[0]).url}/v1/jobs/{job_id}/cancel", timeout=10)

    def events_url(self, job_id, edge=None):
        return f"{(edge or self.edges[0]).url}/v1/jobs/{job_id}/events"

    def follow(self, job_id, *edges):
        return Reader(*(self.events_url(job_id, edge) for edge in edges or self.edges))

    def read(self, job_id, last_id=None):
        return read(self.events_url(job_id), last_id)

    def wait_end(self, job_id, seconds=40, edge=None):
        """The job, once it has ended."""
        end = time.monotonic() + seconds
        while (job := self.job(job_id, edge))["status"] not in ENDED:
            assert time.monotonic() < end, f"not ended within {seconds} s: {job}"
            time.sleep(0.05)
        return job

    def wait_ends(self, job_ids, seconds=60, edge=None):
        end = time.monotonic() + seconds
        return [self.wait_end(job_id, max(0.1, end - time.monotonic()), edge)
                for job_id in job_ids]

    def simulated(self):
        """What the simulator has counted."""
        answer = web.get(f"{self.simulator.url}/sim/stats", timeout=10)
        answer.raise_for_status()
        return answer.json()

    def wait_until(self, true, seconds=20, what="it did not happen"):
        assert wait_until(true, seconds), f"{what} within {seconds} s"
