"""The one process is killed at each call by which it changes a file of its folder: P1, P2."""

import contextlib
import os
import shutil
import signal
from collections import Counter

import httpx
import pytest
from load import assert_data_whole, assert_same
from process import wait_until
from sse import assert_whole, told_text
from strace import WRITES, Attached, TracedStart

# Loops have yet to come, whose wake-ups are writes too.
STARTING = (*WRITES, "write")

pytestmark = pytest.mark.embedded("kills the one process")

MODEL = "sim-5ms-8tok-5gap"
BIG = "All of this is read. " * 15_000  # more than a queue takes: it goes to the objects


class Visit:
    """A few jobs under keys, as far as the process lives; later asked for again."""

    def __init__(self, world, name):
        self._world, self._name = world, name
        self.promised, self.readers = {}, {}

    def submit(self):
        """Every job that is not promised yet; True when all are."""
        bodies = [{"input": "One.", "session": "s"}, {"input": "Two.", "session": "s"},
                  {"input": "Three."}, {"input": BIG}]
        for number, body in enumerate(bodies):
            key = f"{self._name}-{number}"
            if key not in self.promised:
                body = body | {"model": MODEL, "max_tokens": 256}
                answer = self._world.post(body, {"Idempotency-Key": key}, seconds=10)
                assert answer.status_code == 202, f"{answer.status_code} {answer.text}"
                self.promised[key] = answer.json()["id"]
                self.readers[key] = self._world.follow(self.promised[key])

    def wait(self):
        for job in self._world.wait_ends(self.promised.values(), 20):
            assert job["status"] == "succeeded", job

    def assert_kept(self):
        for key, job_id in self.promised.items():
            told = self._world.read(job_id)
            assert_whole(told)
            assert told_text(told) == self._world.job(job_id)["result"]["text"]
            assert_same(self.readers[key].finish(10), told)


def run_and_stop(world, visit):
    """All there is to do until the process has ended, killed or told to."""
    with contextlib.suppress(httpx.HTTPError):
        visit.submit()
        visit.wait()
    world.serve.stop()


def goes_on(world, visit):
    """What was promised before the process was killed is kept after, and nothing lies about."""
    promised = dict(visit.promised)
    world.serve.start_listening()
    visit.submit()
    assert promised.items() <= visit.promised.items()
    visit.wait()
    visit.assert_kept()
    assert_tidy(world.folder / "data")
    assert_data_whole(world.folder / "data")


def assert_tidy(data):
    names = [name for _, _, files in os.walk(data) for name in files]
    assert not [name for name in names if name.endswith((".new", "-journal"))], names
    assert not list((data / "objects" / "drafts").iterdir())


def threads_of(pid):
    """In the order in which they were started: the same every time, once all have been."""
    return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))


def all_threads_of(pid, count):
    """The last may start a moment after the process listens."""
    assert wait_until(lambda: len(threads_of(pid)) == count, 10), threads_of(pid)
    return threads_of(pid)


def points_of(calls):
    """Each of these once more, and the how manieth of its kind it is."""
    seen = Counter()
    for call in calls:
        seen[call] += 1
        yield call, seen[call]


def points_of_jobs(world):
    """What changes a file from the start of some jobs to the end of the process, and how many
    threads it has."""
    pid = world.serve.pid
    first = Visit(world, "first")
    first.submit()
    first.wait()  # who has run jobs has started all its threads
    threads = threads_of(pid)
    with Attached(world, pid, WRITES) as attached:
        run_and_stop(world, Visit(world, "counted"))
    calls = [(threads.index(thread), name) for thread, name in attached.calls()]
    return list(points_of(calls)), len(threads)


def points_of_a_start(world):
    start = TracedStart(world.serve, STARTING).start_listening()
    points = list(points_of(name for thread, name in start.calls() if thread == start.pid))
    start.stop()
    return points


def spread(points, count):
    """That many of them, evenly."""
    return [points[i * len(points) // count] for i in range(min(count, len(points)))]


@pytest.mark.timeout(3600)
def test_a_kill_at_any_write_of_any_thread_loses_nothing(empty_world, long):
    world = empty_world.inhabit(LLM_CONTINUE="prefill")
    points, count = points_of_jobs(world)
    points = points if long else spread(points, 20)
    killed = 0
    for (thread, name), nth in points:
        print(f"thread {thread}, {name} {nth}")
        world.serve.start_listening()
        visit = Visit(world, f"{thread}-{name}-{nth}")
        victim = all_threads_of(world.serve.pid, count)[thread]
        with Attached(world, world.serve.pid, [name], f"signal=KILL:when={nth}", thread=victim):
            run_and_stop(world, visit)
        killed += world.serve.child.returncode == -signal.SIGKILL
        goes_on(world, visit)
        world.serve.stop()
    print(f"killed {killed} times of {len(points)}")
    assert killed > len(points) / 2  # those who take turns do not call as often every time


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("found", ["nothing", "jobs that ran"])
def test_a_kill_at_any_write_of_a_start_loses_nothing(empty_world, found, long):
    world = empty_world.inhabit(LLM_CONTINUE="prefill")
    be_found(world, found, Visit(world, "counted"))
    points = points_of_a_start(world)
    print(f"a start calls {len(points)} times")
    world.serve.start_listening()
    for name, nth in points if long else spread(points, 6):
        print(f"{name} {nth}")
        visit = Visit(world, f"{name}-{nth}")
        be_found(world, found, visit)
        start = TracedStart(world.serve, [name], f"signal=KILL:when={nth}").start()
        assert start.child.wait(10) == -signal.SIGKILL
        goes_on(world, visit)


def be_found(world, found, visit):
    """What the next start will find."""
    if found == "nothing":
        world.serve.kill()
        shutil.rmtree(world.folder / "data")
    else:
        visit.submit()
        world.serve.kill()
