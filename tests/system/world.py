"""One installation of millrace for one test, as its clients see it. What it stands on is said by
servers_world.py (edges and workers on Kafka and Redis) and embedded_world.py (one process)."""

import contextlib
import os
import secrets
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ops"))
import documented  # noqa: E402
from process import BINARY, Millrace, free_port, wait_until  # noqa: E402
from sse import Event, Reader, read  # noqa: E402,F401

# One client for every request: making one reads every certificate there is. A connection serves
# one request, since its edge may be dead at the next. What an edge answers must be documented.
web = httpx.Client(verify=False, timeout=20, limits=httpx.Limits(max_keepalive_connections=0),
                   event_hooks={"response": [documented.check]})

ENDED = ("succeeded", "failed", "cancelled", "expired")


class World:
    """`settings` go to every process, above those it has of its own."""

    front = "edge"  # the command that answers clients
    gaps = False    # whether the event log can be lost here

    def __init__(self, folder, **settings):
        self.folder = Path(folder)
        self.parts = []
        self.edges = []
        self.simulator = None
        self.settings = {
            "MILLRACE_DATA": self.folder / "data",
            "MILLRACE_SECRET": "a secret of the tests alone, long enough",
            "MILLRACE_DRAIN_GRACE": "5s",
            "MILLRACE_LOG_FORMAT": "json",
        } | settings
        # Nothing of the caller's environment may set anything here.
        self.env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG")
                    if name in os.environ}

    # --- parts

    def install(self):
        """What must be there before the first process."""
        return self

    def inhabit(self, **settings):
        """What answers clients and what runs jobs, with these settings; a simulator unless a model
        is named."""
        raise NotImplementedError

    def replace_worker(self, **settings):
        """What runs jobs stops as it was told to, and comes again with these settings."""
        raise NotImplementedError

    def kill_worker(self):
        """kill -9 of what runs jobs; another, or itself again, goes on."""
        raise NotImplementedError

    def grow(self):
        """More of everything, where there can be more."""

    def victims(self):
        """What may be killed or frozen and then revived."""
        return self.edges

    def revive(self, victim):
        victim.start_listening()

    @property
    def worker_url(self):
        """Where the newest worker tells its numbers."""
        return self.url

    def start_simulator(self):
        self.simulator = self._part("llm-sim", "llm-sim", MILLRACE_SIM_PORT=free_port())
        self.settings["LLM_SERVER_URL"] = self.simulator.start_listening().url
        return self.simulator

    def run(self, *words):
        """A command of the program that ends by itself."""
        settings = {name: str(value) for name, value in self.settings.items()}
        return subprocess.run([BINARY, *words], env=self.env | settings, cwd=self.folder,
                              capture_output=True, text=True, timeout=60, check=False)

    def rows(self, sql):
        """What the Store says to a question with one column of text."""
        with contextlib.closing(sqlite3.connect(self.folder / "data" / "millrace.db")) as store:
            return [row[0] for row in store.execute(sql)]

    def _part(self, command, name, **settings):
        part = Millrace(command, self.folder, self.settings | settings, name=name, env=self.env)
        self.parts.append(part)
        if command in ("edge", "serve"):
            documented.register(part)
        return part

    def _wait_ready(self, edge):
        self.wait_until(lambda: web.get(f"{edge.url}/readyz").status_code == 200, 20,
                        f"{edge.name} is not ready")
        return edge

    def stop(self):
        """Nobody is left."""
        for part in reversed(self.parts):
            part.kill()

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
