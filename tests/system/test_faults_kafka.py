"""Kafka is killed and frozen: creations are refused with `Retry-After`, nothing is lost, and
everything recovers by itself: P1, P8."""

import threading
import time

import pytest
from sse import assert_whole
from world import web

pytestmark = pytest.mark.servers("kills and freezes Kafka")

QUICK = "sim-5ms-5tok-1gap"


def accepted_or_refused(world, seconds=30):
    """The id of an accepted job, or None when it was refused as it should be."""
    answer = world.post({"input": "x", "model": QUICK}, seconds=seconds)
    if answer.status_code == 202:
        return answer.json()["id"]
    assert answer.status_code in (429, 503), f"{answer.status_code} {answer.text}"
    assert int(answer.headers["retry-after"]) >= 1
    return None


def test_creations_are_refused_while_kafka_is_down_and_accepted_when_it_is_back(world):
    running = world.submit("sim-20ms-900tok-20gap", max_tokens=900)
    reader = world.follow(running)
    reader.wait_for(5, "delta")
    world.kafka.kill()
    began = time.monotonic()
    assert accepted_or_refused(world) is None
    assert time.monotonic() - began < 15, "the answer took too long"
    assert web.get(f"{world.url}/livez", timeout=2).status_code == 200
    assert world.job(running)["status"] == "running"
    world.kafka.start()
    accepted = []
    world.wait_until(lambda: accepted.append(accepted_or_refused(world)) or accepted[-1], 40,
                     "no job is accepted")
    assert world.wait_end(accepted[-1])["status"] == "succeeded"
    told = reader.finish(40)
    assert_whole(told)
    assert told[-1].type == "done"
    assert world.simulated()["requests"] == 2


def test_every_job_that_was_answered_202_ends_once_though_kafka_was_killed(world):
    ids, stop = [], threading.Event()

    def submit():
        while not stop.is_set():
            job_id = accepted_or_refused(world)
            if job_id:
                ids.append(job_id)
            time.sleep(0.02)

    threads = [threading.Thread(target=submit) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        world.wait_until(lambda: len(ids) >= 20, 20, "no jobs are accepted")
        world.kafka.kill()
        world.kafka.start()
        before = len(ids)
        world.wait_until(lambda: len(ids) >= before + 20, 40, "no jobs are accepted again")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    for job in world.wait_ends(ids, 60):
        assert job["status"] == "succeeded"
    for job_id in ids:
        assert_whole(world.read(job_id))


def test_a_frozen_kafka_only_delays(world):
    job_id = world.submit("sim-20ms-100tok-20gap")
    reader = world.follow(job_id)
    reader.wait_for(5, "delta")
    world.kafka.freeze()
    told = reader.finish(20)  # a running job does not need Kafka to go on
    assert_whole(told)
    answers = []
    late = threading.Thread(target=lambda: answers.append(accepted_or_refused(world)))
    late.start()
    time.sleep(3)
    world.kafka.thaw()
    late.join()
    job_id = answers[0] or world.submit(QUICK)
    assert world.wait_end(job_id)["status"] == "succeeded"


def test_overload_is_refused_in_bounded_memory(world, long):
    """P8: with Kafka frozen nothing can be accepted; every request is answered all the same."""
    import psutil
    edge = psutil.Process(world.edges[0].pid)
    before = edge.memory_info().rss
    world.kafka.freeze()
    body = {"input": "x" * 100_000, "model": QUICK}
    codes = []

    def ask():
        for _ in range(20 if long else 1):
            answer = world.post(body, seconds=60)
            codes.append((answer.status_code, "retry-after" in answer.headers))

    threads = [threading.Thread(target=ask) for _ in range(64)]
    for thread in threads:
        thread.start()
    peak = before
    while any(thread.is_alive() for thread in threads):
        peak = max(peak, edge.memory_info().rss)
        time.sleep(0.1)
    world.kafka.thaw()
    assert set(codes) <= {(503, True), (429, True)}, set(codes)
    assert peak - before < 200 * 2**20, f"{(peak - before) / 2**20:.0f} MiB more"
    world.wait_until(lambda: accepted_or_refused(world), 40, "no job is accepted again")
