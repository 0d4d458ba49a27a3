"""Clients who keep asking until they are answered, and what must be true of all they were promised."""

import random
import re
import secrets
import sqlite3
import threading
import time
import uuid
from itertools import zip_longest

import httpx
from sse import assert_whole, told_text

class Clients:
    """Threads that submit jobs, each under a key of its own, again and again until it is answered
    202 or refused for good. A context manager; `ids` are the jobs they were promised."""

    def __init__(self, world, model, count=3, every=0.03, follow_every=5, seed=0):
        self._world, self._model, self._every = world, model, every
        self._follow_every = follow_every
        self._draw = random.Random(seed)
        self._stop = threading.Event()
        self.ids, self.readers, self.refusals, self.failures = [], {}, [], []
        self._threads = [threading.Thread(target=self._work) for _ in range(count)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, more, seconds=30):
        """Until that many more jobs were promised."""
        wanted = len(self.ids) + more
        self._world.wait_until(lambda: len(self.ids) >= wanted, seconds, f"not {more} more jobs")

    def _work(self):
        while not self._stop.is_set():
            job_id = self._ask_until_answered()
            if job_id is not None:
                self.ids.append(job_id)
                if len(self.ids) % self._follow_every == 0:
                    self.readers[job_id] = self._world.follow(job_id)
            time.sleep(self._every)

    def _ask_until_answered(self):
        """None when the end came first."""
        key = secrets.token_hex(8)
        body = {"input": f"Tell me story {key}.", "model": self._model, "max_tokens": 256}
        if self._draw.random() < 0.5:
            body["session"] = f"s{self._draw.randrange(4)}"
        for _ in range(400):
            try:
                answer = self._world.post(body, {"Idempotency-Key": key}, seconds=10)
            except httpx.HTTPError:
                answer = None  # killed under the request
            if answer is not None and answer.status_code in (200, 202):
                return answer.json()["id"]
            if answer is not None:
                self.refusals.append(answer)
            if answer is None or answer.status_code in (429, 503, 507):
                time.sleep(0.05)
            else:
                self.failures.append(f"{answer.status_code} {answer.text}")
                return None
        self.failures.append(f"never answered: {key}")
        return None


def assert_promises_kept(world, clients, seconds=60):
    """P1 and P2 of every job that was promised: it ends once, and readers, those that were there
    all the time and one that comes now, hold what is stored. It succeeds, unless three kills met
    it, which nobody can tell from a job that kills."""
    assert not clients.failures, clients.failures[:3]
    assert len(set(clients.ids)) == len(clients.ids)
    for job in world.wait_ends(clients.ids, seconds):
        assert job["status"] == "succeeded" or job["error"]["code"] == "poison", job
        told = world.read(job["id"])
        assert_whole(told)
        assert told_text(told) == job["result"]["text"]
        if job["id"] in clients.readers:
            reader = clients.readers[job["id"]]
            assert_same(reader.finish(10), told, f"in {reader.connections} connections")


def assert_same(followed, told, how=""):
    """A reader that was there all the time holds what is stored."""
    pairs = enumerate(zip_longest(followed, told))
    different = next((f"event {at}: {one} and not {other}"
                      for at, (one, other) in pairs if one != other), None)
    assert different is None, f"{different} {how}"


def assert_paid_once(world, ids):
    """P4 (with prefill): the model is asked at most once a run, and never again for what readers
    were told by then. A delta a token; how many make an answer is in the model's name."""
    asked = world.simulated()["jobs"]
    for job_id in ids:
        deltas, told_before = 0, []  # each run's beginning
        for event in world.read(job_id):
            deltas += event.type == "delta"
            if event.type == "started":
                told_before.append(deltas)
        counted = asked.get(job_id, {"requests": 0, "tokens_asked": 0, "tokens_sent": 0})
        how = f"{job_id}: {counted} for {deltas} deltas in runs that began behind {told_before}"
        assert counted["requests"] <= len(told_before), how
        tokens = int(re.search(r"-(\d+)tok", world.job(job_id)["model"])[1])
        left = [tokens - told for told in told_before]
        assert counted["tokens_asked"] <= sum(left[:counted["requests"]]), how
        assert deltas <= counted["tokens_sent"], how


def assert_data_whole(folder):
    """SQLite's own judgement of the file, in which the WAL takes part."""
    with sqlite3.connect(folder / "millrace.db") as store:
        assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert store.execute("PRAGMA foreign_key_check").fetchall() == []


def stored_ids(folder):
    """Every job the Store knows."""
    with sqlite3.connect(folder / "millrace.db") as store:
        return {str(uuid.UUID(bytes=row[0])) for row in store.execute("SELECT id FROM jobs")}
